package site

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// Bounds of what is compressed here.
const (
	minPacked = 1 << 10  // a smaller file fits into one packet anyhow
	maxPacked = 8 << 20  // a larger one the build should compress
	allPacked = 64 << 20 // kept in memory altogether
)

// packed keeps compressed files, by their tags.
type packed struct {
	mu   sync.Mutex
	data map[string][]byte
	size int64
}

func newPacked() *packed { return &packed{data: make(map[string][]byte)} }

// of compresses a file, unless that is of no use; the file is left as it was.
func (p *packed) of(tag string, size int64, f *os.File) ([]byte, bool) {
	if size < minPacked || size > maxPacked {
		return nil, false
	}
	p.mu.Lock()
	data, ok := p.data[tag]
	p.mu.Unlock()
	if !ok {
		var err error
		if data, err = pack(io.NewSectionReader(f, 0, size)); err != nil {
			return nil, false
		}
		p.keep(tag, data)
	}
	return data, int64(len(data)) < size
}

// keep keeps what fits; the rest is compressed again each time.
func (p *packed) keep(tag string, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.data[tag]; !ok && p.size+int64(len(data)) <= allPacked {
		p.data[tag] = data
		p.size += int64(len(data))
	}
}

func pack(in io.Reader) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.Copy(w, in); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// compressible tells whether files of a type are worth compressing.
func compressible(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	switch kind {
	case "application/json", "application/manifest+json", "application/xml", "application/wasm", "application/javascript",
		"image/svg+xml", "image/vnd.microsoft.icon", "font/ttf", "font/otf", "application/vnd.ms-fontobject":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+xml") || strings.HasSuffix(kind, "+json")
}

// accepts reads Accept-Encoding: "gzip, br;q=0.5, *;q=0".
func accepts(field, encoding string) bool {
	other := false
	for part := range strings.SplitSeq(field, ",") {
		name, rest, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != encoding && name != "*" {
			continue
		}
		yes := true
		if q, ok := strings.CutPrefix(strings.ReplaceAll(rest, " ", ""), "q="); ok {
			n, err := strconv.ParseFloat(q, 64)
			yes = err == nil && n > 0
		}
		if name == encoding {
			return yes
		}
		other = yes
	}
	return other
}
