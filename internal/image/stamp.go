package image

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"time"
)

// stamp is what stat says of a whole tree. Two equal stamps mean equal content,
// unless a file could still change within the tick of its change time: newest
// tells how long to mistrust.
type stamp struct {
	sum    string
	newest time.Time // latest change time of a file
	usable bool      // the file system says enough
}

// settled tells whether files read at or after now would show every later write
// in their change time. Kernels stamp with a clock that ticks every few
// milliseconds, and some file systems keep whole seconds.
func (s stamp) settled(now time.Time) bool {
	tick := 50 * time.Millisecond
	if s.newest.Nanosecond() == 0 {
		tick = 2 * time.Second
	}
	return s.usable && now.Sub(s.newest) > tick
}

type stamper struct {
	sum    hash.Hash
	newest time.Time
	usable bool
}

func newStamper(into string) *stamper {
	s := &stamper{sum: sha256.New(), usable: true}
	fmt.Fprintf(s.sum, "%s\x00%s\x00", compressor, into)
	return s
}

func (s *stamper) add(name string, e entry, info fs.FileInfo) {
	id, ok := identify(info)
	s.usable = s.usable && ok
	if e.mode.IsRegular() && id.changed.After(s.newest) {
		s.newest = id.changed
	}
	line := binary.LittleEndian.AppendUint32(nil, uint32(info.Mode()))
	for _, text := range []string{name, e.link} {
		line = binary.LittleEndian.AppendUint32(line, uint32(len(text)))
		line = append(line, text...)
	}
	for _, n := range []int64{info.Size(), info.ModTime().UnixNano(), id.changed.UnixNano(), int64(id.device), int64(id.inode)} {
		line = binary.LittleEndian.AppendUint64(line, uint64(n))
	}
	s.sum.Write(line)
}

func (s *stamper) stamp() stamp {
	return stamp{hex.EncodeToString(s.sum.Sum(nil)), s.newest, s.usable}
}

// identity is what a program cannot forge by setting modification times.
type identity struct {
	device, inode uint64
	changed       time.Time
}
