package joblog

import (
	"context"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// compactor writes the records of a cursor as an archive. It holds about two
// frames in memory, whatever the log's size.
type compactor struct {
	archive
	enc    *zstd.Encoder
	dst    io.Writer
	off    int64
	first  int64 // of the frame being filled
	plain  []byte
	packed []byte
}

// writeArchive drains src into dst.
func writeArchive(ctx context.Context, dst io.Writer, src cursor) error {
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderConcurrency(1),
		zstd.WithLowerEncoderMem(true),
		zstd.WithWindowSize(frameBytes),
		zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	defer enc.Close()
	c := &compactor{enc: enc, dst: dst, plain: make([]byte, 0, maxFrameBytes)}
	for {
		rec, err := src.next()
		if err == io.EOF {
			return c.finish()
		}
		if err != nil {
			return err
		}
		if err := c.add(ctx, rec); err != nil {
			return err
		}
	}
}

func (c *compactor) add(ctx context.Context, rec record) error {
	if len(c.plain) == 0 {
		c.first = rec.n
	}
	c.plain = rec.appendTo(c.plain)
	c.last = rec.to
	if len(c.plain) < frameBytes {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.flush()
}

func (c *compactor) flush() error {
	if len(c.plain) == 0 {
		return nil
	}
	c.packed = c.enc.EncodeAll(c.plain, c.packed[:0])
	c.plain = c.plain[:0]
	start := c.off
	c.off += int64(len(c.packed))
	c.frames = append(c.frames, frame{first: c.first, off: start, end: c.off})
	_, err := c.dst.Write(c.packed)
	return err
}

func (c *compactor) finish() error {
	if err := c.flush(); err != nil {
		return err
	}
	_, err := c.dst.Write(c.appendIndex(nil))
	return err
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
