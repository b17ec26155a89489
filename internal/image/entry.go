package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// entry is one file of a layer. Its mode is normal already: what is left of the
// permissions is whether it can be executed.
type entry struct {
	name string // slash-separated, relative to the root of the image
	mode fs.FileMode
	size int64
	link string
	open func() (io.ReadCloser, error)
}

// normalMode keeps what a layer may say about a file: its type, and for a
// regular file whether anybody may execute it.
func normalMode(mode fs.FileMode) fs.FileMode {
	switch {
	case mode.IsDir():
		return fs.ModeDir | 0o755
	case mode&fs.ModeSymlink != 0:
		return fs.ModeSymlink | 0o777
	case mode&0o111 != 0:
		return 0o755
	}
	return 0o644
}

// epoch is the time of every file: a layer says nothing of when it was made.
var epoch = time.Unix(0, 0).UTC()

func (e entry) header() *tar.Header {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: e.name, Mode: int64(e.mode.Perm()), Size: e.size, ModTime: epoch}
	switch {
	case e.mode.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, e.name+"/"
	case e.mode&fs.ModeSymlink != 0:
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.link
	}
	return h
}

// writeTar writes the entries, in their order, as one tar stream.
func writeTar(ctx context.Context, w io.Writer, entries []entry) error {
	tw := tar.NewWriter(w)
	buf := make([]byte, 256<<10)
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := tw.WriteHeader(e.header()); err != nil {
			return fmt.Errorf("add %s: %w", e.name, err)
		}
		if err := writeContent(tw, e, buf); err != nil {
			return fmt.Errorf("add %s: %w", e.name, err)
		}
	}
	return tw.Close()
}

func writeContent(tw io.Writer, e entry, buf []byte) error {
	if !e.mode.IsRegular() {
		return nil
	}
	f, err := e.open()
	if err != nil {
		return err
	}
	defer f.Close()
	// One byte more than announced shows a file that has grown.
	n, err := io.CopyBuffer(tw, onlyReader{io.LimitReader(f, e.size+1)}, buf)
	if errors.Is(err, tar.ErrWriteTooLong) || err == nil && n != e.size {
		return changed(e.name, err)
	}
	return err
}

func changed(name string, err error) error {
	msg := name + " changed while the image was being made; let the build finish writing before the image step"
	return &delivery.Error{Kind: delivery.Conflict, Msg: msg, Err: err}
}

// onlyReader hides WriteTo, so that the caller's large buffer is used.
type onlyReader struct{ r io.Reader }

func (o onlyReader) Read(p []byte) (int, error) { return o.r.Read(p) }
