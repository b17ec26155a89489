package image

import (
	"io"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// source reads a blob from any place on.
type source struct {
	blob v1.Layer
	open io.ReadCloser
	at   int64
	last *part
}

// placed is a blob that is read from any place at no cost.
type placed interface {
	at(from, n int64) (io.Reader, error)
}

// section is the n bytes from a place on, once more with every call.
func (s *source) section(from, n int64) (io.ReadCloser, error) {
	if l, ok := s.blob.(placed); ok {
		r, err := l.at(from, n)
		return io.NopCloser(r), err
	}
	s.last.stop()
	if s.open == nil || s.at != from {
		s.close()
		r, err := s.blob.Compressed()
		if err != nil {
			return nil, err
		}
		s.open = r
		if s.at, err = io.CopyN(io.Discard, r, from); err != nil {
			return nil, err
		}
	}
	s.last = &part{from: s, left: n}
	return io.NopCloser(s.last), nil
}

func (s *source) close() {
	s.last.stop()
	if s.open != nil {
		_ = s.open.Close()
		s.open = nil
	}
}

// part reads on in a source until it is stopped: a request that is over may still read.
type part struct {
	from *source

	mu   sync.Mutex
	left int64
}

func (p *part) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 0 {
		return 0, io.EOF
	}
	n, err := p.from.open.Read(b[:min(int64(len(b)), p.left)])
	p.from.at += int64(n)
	p.left -= int64(n)
	return n, err
}

// stop returns when nobody reads, and nobody will.
func (p *part) stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = 0
}
