package runner

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/diagnose"
	"github.com/shiplock/shiplock/internal/quality"
)

// maxLine bounds one line of the log, in bytes.
const maxLine = 64 << 10

// Streams of a line.
const (
	streamOut = "out"
	streamErr = "err"
	streamSys = "sys"
)

// journal masks lines and puts them into the spool.
type journal struct {
	*masker
	spool *spool
	now   func() time.Time
	// broken is called when lines cannot be kept.
	broken func(error)
}

// say writes Shiplock's own words.
func (j *journal) say(step, text string) {
	at := j.now().UnixMilli()
	var lines []api.LogLine
	for line := range strings.Lines(text) {
		lines = append(lines, api.LogLine{At: at, Step: step, Stream: streamSys, Text: j.mask(strings.TrimRight(line, "\r\n"), maxLine)})
	}
	j.add(lines)
}

func (j *journal) add(lines []api.LogLine) {
	if len(lines) == 0 {
		return
	}
	if err := j.spool.add(lines); err != nil {
		j.broken(err)
	}
}

// output is what a step writes: logged, read for test results, and sampled for
// the first errors.
type output struct {
	*journal
	step   string
	tests  quality.Reader // nil when the step has none
	sample diagnose.Sample

	mu    sync.Mutex // a chunk of one stream at a time
	lines []api.LogLine
}

// pump reads a stream to its end.
func (o *output) pump(r *os.File, stream string) {
	s := &splitter{max: maxLine + o.longest} // so that a secret across the limit is whole
	chunk := make([]byte, 64<<10)
	for {
		n, err := r.Read(chunk)
		o.take(stream, func(emit func([]byte, int)) {
			s.feed(chunk[:n], emit)
			if err != nil {
				s.finish(emit)
			}
		})
		if err != nil { // the end, or a deadline because a writer has escaped us
			_ = r.Close()
			return
		}
	}
}

func (o *output) take(stream string, lines func(emit func(line []byte, cut int))) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := o.now().UnixMilli()
	lines(func(line []byte, cut int) { o.line(at, stream, string(line), cut) })
	o.flush()
}

func (o *output) line(at int64, stream, text string, cut int) {
	if o.tests != nil && stream == streamOut && cut == 0 {
		var show bool
		// Masked first: what a reader cuts off may be the half of a secret.
		if text, show = o.tests.Line(o.mask(text, len(text))); !show {
			return
		}
	}
	o.put(at, stream, text, cut)
}

func (o *output) put(at int64, stream, text string, cut int) {
	cut += max(0, len(text)-maxLine)
	text = o.mask(text, maxLine)
	o.sample.Add(text)
	if cut > 0 {
		text += fmt.Sprintf(" …[%d bytes cut]", cut)
	}
	o.lines = append(o.lines, api.LogLine{At: at, Step: o.step, Stream: stream, Text: text})
}

func (o *output) flush() {
	o.add(o.lines)
	o.lines = o.lines[:0]
}

// end settles the test results.
func (o *output) end() {
	if o.tests == nil {
		return
	}
	at := o.now().UnixMilli()
	for _, text := range o.tests.End() {
		o.put(at, streamOut, text, 0)
	}
	o.flush()
}
