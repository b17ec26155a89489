package tail

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

const (
	// maxLine is where a line is cut: what reads the output cuts there too.
	maxLine = 16 << 10
	// turn is how much of one file is read before the next one gets a turn.
	turn = 1 << 20
	// kept is what stays of a file for people who look at it where it is; before that its
	// room is given back, a step at a time.
	kept = 16 << 20
	step = 16 << 20
)

// file is one log file.
type file struct {
	*os.File
	offset int64 // of what was read
	freed  int64 // up to where its room was given back
	owned  bool  // it may be written to, so that this can be done
	begun  bool  // in the middle of a line that was not read
	unseen int   // passes since a name of the pattern was found
	buf    []byte
}

// open begins at the first byte that there is: a follower before this one may have
// given the room before it back.
func open(root *os.Root, name string) (*file, error) {
	f, err := root.OpenFile(name, os.O_RDWR, 0)
	owned := err == nil
	if errors.Is(err, fs.ErrPermission) {
		f, err = root.Open(name)
	}
	if err != nil {
		return nil, err
	}
	opened := &file{File: f, owned: owned}
	if at := opened.data(0); at > 0 {
		opened.offset, opened.freed, opened.begun = at, at, true
	}
	return opened, nil
}

func (f *file) identity() (identity, bool) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return identity{}, false
	}
	return identify(info)
}

// read writes whole lines that are new, and tells whether there is more. Errors are of
// out: what cannot be read is tried again.
func (f *file) read(out io.Writer) (more bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return false, nil
	}
	if info.Size() < f.offset { // somebody began it anew
		if err := f.flush(out); err != nil {
			return false, err
		}
		f.offset, f.freed, f.begun = 0, 0, false
	}
	defer f.free()
	for read := 0; read < turn; {
		if f.offset >= info.Size() {
			return false, nil
		}
		f.offset = f.data(f.offset)
		n, failed := f.fill()
		read += n
		if err := f.lines(out); err != nil {
			return false, err
		}
		if failed != nil { // io.EOF, or what the next pass may find better
			return false, nil
		}
	}
	return true, nil
}

// fill reads on behind what is kept of an unended line.
func (f *file) fill() (int, error) {
	held := len(f.buf)
	if cap(f.buf) < 2*maxLine {
		f.buf = append(make([]byte, 0, 2*maxLine), f.buf...)
	}
	n, err := f.ReadAt(f.buf[held:2*maxLine], f.offset)
	f.buf = f.buf[:held+n]
	f.offset += int64(n)
	return n, err
}

// lines writes the whole lines that were read, and keeps the rest.
func (f *file) lines(out io.Writer) error {
	if f.begun {
		_, after, ended := bytes.Cut(f.buf, []byte("\n"))
		f.buf, f.begun = append(f.buf[:0], after...), !ended
	}
	// Bytes of nothing stand where room was given back and somebody wrote on behind.
	if bytes.IndexByte(f.buf, 0) >= 0 {
		f.buf = bytes.ReplaceAll(f.buf, []byte{0}, nil)
	}
	end := bytes.LastIndexByte(f.buf, '\n') + 1
	if end == 0 && len(f.buf) >= maxLine {
		return f.flush(out)
	}
	if end == 0 {
		return nil
	}
	if _, err := out.Write(f.buf[:end]); err != nil {
		return err
	}
	f.buf = append(f.buf[:0], f.buf[end:]...)
	return nil
}

// flush writes a line that has no end.
func (f *file) flush(out io.Writer) error {
	if len(f.buf) == 0 {
		return nil
	}
	_, err := out.Write(append(f.buf, '\n'))
	f.buf = f.buf[:0]
	return err
}

// free gives back the room of what was read but for the last of it. The file stays as
// long as it was, so that whoever writes to it, or turns it over, notices nothing.
func (f *file) free() {
	if end := (f.offset - kept) / step * step; f.owned && end > f.freed {
		f.owned = punch(f.File, f.freed, end-f.freed) == nil
		f.freed = end
	}
}
