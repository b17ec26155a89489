package image

import (
	"bytes"
	"context"
	"io"
	"runtime"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"
)

// blockSize is how much input one gzip member holds, in bytes. It is part of
// every layer's digest, so it must never depend on the machine.
const blockSize = 1 << 20

// compressor names what decides the compressed bytes; change it with the
// compression library, the level or blockSize, so that caches start anew.
const compressor = "gzip1-1m-v1"

// block is one piece of input on its way through the compressors.
type block struct {
	in  []byte
	out chan *bytes.Buffer
}

// compress writes to w what produce writes, as gzip members of blockSize input
// each (RFC 1952 §2.2 lets a file have several). All processors work, and the
// bytes do not depend on how many there are.
func compress(ctx context.Context, w io.Writer, produce func(io.Writer) error) error {
	workers := runtime.GOMAXPROCS(0)
	g, ctx := errgroup.WithContext(ctx)
	work, order := make(chan block), make(chan block, 2*workers)
	g.Go(func() error {
		defer close(order)
		defer close(work)
		s := &splitter{ctx: ctx, work: work, order: order}
		if err := produce(s); err != nil {
			return err
		}
		return s.flush()
	})
	for range workers {
		g.Go(func() error { return compressBlocks(work) })
	}
	g.Go(func() error { return writeBlocks(ctx, w, order) })
	return g.Wait()
}

func compressBlocks(work <-chan block) error {
	zw, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		return err
	}
	for b := range work {
		out := bytes.NewBuffer(make([]byte, 0, blockSize/2))
		zw.Reset(out)
		if _, err := zw.Write(b.in); err != nil {
			return err
		}
		if err := zw.Close(); err != nil {
			return err
		}
		b.out <- out
	}
	return nil
}

func writeBlocks(ctx context.Context, w io.Writer, order <-chan block) error {
	for b := range order {
		select {
		case out := <-b.out:
			if _, err := w.Write(out.Bytes()); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// splitter cuts a stream into blocks.
type splitter struct {
	ctx         context.Context // of the one compress call that owns it
	work, order chan<- block
	buf         []byte
}

func (s *splitter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if s.buf == nil {
			s.buf = make([]byte, 0, blockSize)
		}
		n := min(len(p), blockSize-len(s.buf))
		s.buf = append(s.buf, p[:n]...)
		p = p[n:]
		if len(s.buf) == blockSize {
			if err := s.flush(); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

func (s *splitter) flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	b := block{in: s.buf, out: make(chan *bytes.Buffer, 1)}
	s.buf = nil
	for _, to := range []chan<- block{s.order, s.work} {
		select {
		case to <- b:
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		}
	}
	return nil
}
