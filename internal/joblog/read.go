package joblog

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/klauspost/compress/zstd"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	defaultPageLines = 1000
	maxPageLines     = 10_000
	maxPageBytes     = 4 << 20
	// maxFilterLines bounds what one call looks through for lines of a step.
	maxFilterLines = 1 << 18
)

// Query selects a page of a log.
type Query struct {
	From  int64  // first number wanted; 0 is 1; -n is the last n lines
	Limit int    // at most this many lines; 0 is 1000, the most is 10,000
	Step  string // only lines of this step, unless empty
}

// Page is a piece of a log. It may hold fewer lines than the Limit before the
// end is reached; the end is reached when Next > Last.
type Page struct {
	Lines  []Line `json:"lines"`
	Next   int64  `json:"next"`   // From of the following page
	Last   int64  `json:"last"`   // highest durable number
	Closed bool   `json:"closed"` // no line will follow Last
}

// Read returns a page. An attempt without lines reads as empty and open.
// Errors: Invalid, Unavailable, NotFound when the log was deleted meanwhile.
func (s *Store) Read(ctx context.Context, attempt string, q Query) (Page, error) {
	limit := pageLimit(q.Limit)
	q.From = min(max(q.From, -maxNumber), maxNumber)
	var page Page
	err := s.withView(ctx, attempt, func(v view) error {
		var err error
		if q.From < 0 && q.Step != "" {
			page, err = v.stepTail(ctx, int(min(-q.From, int64(limit))), q.Step)
			return err
		}
		from := resolve(q.From, v.last)
		page, err = v.page(ctx, selection{from: from, to: from + maxFilterLines, lines: limit, bytes: maxPageBytes, step: q.Step})
		return err
	})
	return page, err
}

func pageLimit(limit int) int {
	if limit <= 0 {
		return defaultPageLines
	}
	return min(limit, maxPageLines)
}

// resolve turns a wanted beginning into a line number.
func resolve(from, last int64) int64 {
	if from < 0 {
		from += last + 1
	}
	return max(from, 1)
}

// WriteText writes the text of all durable lines, one per line, as a plain
// download. It returns w's error as it is.
func (s *Store) WriteText(ctx context.Context, attempt string, w io.Writer) error {
	buf := bufio.NewWriterSize(w, readBuffer)
	pos := int64(1)
	err := s.withView(ctx, attempt, func(v view) error {
		return v.walk(ctx, pos, func(rec record) error {
			pos = rec.to + 1
			buf.WriteString(rec.line().Text)
			if buf.WriteByte('\n') != nil {
				return errStop // Flush tells why
			}
			return nil
		})
	})
	return errors.Join(err, buf.Flush())
}

// withView calls read with the log as it is now. When a finisher takes the
// segments away under it, read is called again with the archive.
func (s *Store) withView(ctx context.Context, attempt string, read func(view) error) error {
	l, err := s.acquire(attempt)
	if err != nil {
		return err
	}
	defer s.release(l)
	for try := 0; ; try++ {
		v, err := l.freshView(s.dec)
		if err != nil {
			return err
		}
		if err = read(v); try == 3 || !errors.Is(err, fs.ErrNotExist) {
			return classify(ctx, err)
		}
	}
}

// classify leaves alone what has a kind and what the caller caused.
func classify(ctx context.Context, err error) error {
	var classified *delivery.Error
	if err == nil || ctx.Err() != nil || errors.As(err, &classified) {
		return err
	}
	return unavailable(err)
}

// view is a log at one moment; it stays readable while the log grows.
type view struct {
	dir      string
	dec      *zstd.Decoder
	segments []segment
	archive  *archive // instead of segments, when finished
	last     int64
	closed   bool
}

// freshView looks for what other processes did before it answers.
func (l *attemptLog) freshView(dec *zstd.Decoder) (view, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil {
		return view{}, err
	}
	return l.view(dec)
}

// view returns the log as this process knows it. The caller holds mu.
func (l *attemptLog) view(dec *zstd.Decoder) (view, error) {
	if err := l.load(); err != nil {
		return view{}, err
	}
	v := view{dir: l.dir, dec: dec, last: l.durable, closed: l.sealed}
	if !l.archive {
		v.segments = l.segments
		return v, nil
	}
	a, err := openArchive(l.dir)
	if err != nil {
		return view{}, unavailable(err)
	}
	v.archive, v.last = a, a.last
	return v, nil
}

func (v view) open(from int64) (cursor, error) {
	if v.archive != nil {
		return v.archive.open(v.dec, from)
	}
	return newMerge(v.dir, v.segments, from), nil
}

var errStop = errors.New("stop")

// walk calls do for each record from line from on, until do returns errStop.
func (v view) walk(ctx context.Context, from int64, do func(record) error) error {
	c, err := v.open(from)
	if err != nil {
		return err
	}
	defer c.close()
	for i := 0; ; i++ {
		if i%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		rec, err := c.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err = do(rec); err == errStop {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// selection bounds a page: numbers in [from, to), so many lines and bytes.
type selection struct {
	from, to int64
	lines    int
	bytes    int
	step     string
}

func (v view) page(ctx context.Context, sel selection) (Page, error) {
	p := Page{Next: sel.from, Last: v.last, Closed: v.closed}
	size := 0
	err := v.walk(ctx, sel.from, func(rec record) error {
		if rec.n >= sel.to || len(p.Lines) == sel.lines || size >= sel.bytes {
			return errStop
		}
		p.Next = rec.to + 1
		if sel.step == "" || rec.step == sel.step {
			p.Lines = append(p.Lines, rec.line())
			size += len(rec.text)
		}
		return nil
	})
	if err != nil {
		return Page{}, err
	}
	if len(p.Lines) < sel.lines && size < sel.bytes {
		p.Next = max(p.Next, min(sel.to, v.last+1)) // nothing readable was left
	}
	return p, nil
}

// stepTail returns the last lines of a step, searching backwards.
func (v view) stepTail(ctx context.Context, lines int, step string) (Page, error) {
	tail := Page{Next: v.last + 1, Last: v.last, Closed: v.closed}
	window := max(4*int64(lines), 1024)
	room := maxPageBytes
	lowest := max(1, v.last-maxFilterLines)
	for to := v.last + 1; to > lowest && len(tail.Lines) < lines && room > 0; to -= window {
		sel := selection{from: max(to-window, lowest), to: to, lines: lines - len(tail.Lines), bytes: room, step: step}
		found, size, err := v.lastOf(ctx, sel)
		if err != nil {
			return Page{}, err
		}
		tail.Lines = append(found, tail.Lines...)
		room -= size
	}
	return tail, nil
}

// lastOf returns the last lines of a selection, and the bytes of their text.
func (v view) lastOf(ctx context.Context, sel selection) (lines []Line, size int, err error) {
	err = v.walk(ctx, sel.from, func(rec record) error {
		if rec.n >= sel.to {
			return errStop
		}
		if rec.step != sel.step {
			return nil
		}
		lines = append(lines, rec.line())
		size += len(lines[len(lines)-1].Text)
		for len(lines) > sel.lines || (size > sel.bytes && len(lines) > 1) {
			size -= len(lines[0].Text)
			lines = lines[1:]
		}
		return nil
	})
	return lines, size, err
}
