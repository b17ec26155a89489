package joblog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sort"

	"github.com/klauspost/compress/zstd"
)

// An archive is a row of zstd frames, each holding the whole records of about
// frameBytes, and then a skippable frame with the index:
//
//	per frame:  uint64 first line | uint64 end offset of the frame
//	trailer:    uint64 last line | uint32 frames | uint32 CRC-32C of all before | "slklog01"
//
// A line or a tail is found with two small reads and one frame.
const (
	frameBytes    = 256 << 10
	entryBytes    = 16
	trailerBytes  = 24
	skippable     = 0x184D2A5E // RFC 8878, section 3.1.2
	archiveMagic  = "slklog01"
	maxFrames     = 1 << 20
	maxFrameBytes = frameBytes + headerBytes + maxPayload
)

var errArchive = errors.New("archive is damaged")

type frame struct{ first, off, end int64 }

// archive is the index of a finished log.
type archive struct {
	path   string
	frames []frame
	last   int64 // highest number covered
}

func openArchive(dir string) (*archive, error) {
	path := filepath.Join(dir, archiveName)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	index, err := readIndex(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	a, err := parseIndex(index)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	a.path = path
	return a, nil
}

// readIndex returns the payload of the skippable frame at f's end.
func readIndex(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if size < trailerBytes {
		return nil, errArchive
	}
	var trailer [trailerBytes]byte
	if _, err := f.ReadAt(trailer[:], size-trailerBytes); err != nil {
		return nil, err
	}
	frames := int64(binary.LittleEndian.Uint32(trailer[8:]))
	length := frames*entryBytes + trailerBytes
	if string(trailer[16:]) != archiveMagic || frames > maxFrames || length > size {
		return nil, errArchive
	}
	index := make([]byte, length)
	_, err = f.ReadAt(index, size-length)
	return index, err
}

func parseIndex(b []byte) (*archive, error) {
	trailer := b[len(b)-trailerBytes:]
	sum := binary.LittleEndian.Uint32(trailer[12:])
	if crc32.Checksum(b[:len(b)-12], castagnoli) != sum {
		return nil, errArchive
	}
	a := &archive{last: int64(binary.LittleEndian.Uint64(trailer))}
	off := int64(0)
	for b = b[:len(b)-trailerBytes]; len(b) > 0; b = b[entryBytes:] {
		f := frame{
			first: int64(binary.LittleEndian.Uint64(b)),
			off:   off,
			end:   int64(binary.LittleEndian.Uint64(b[8:])),
		}
		if f.end <= off || f.end-off > 2*maxFrameBytes {
			return nil, errArchive
		}
		off = f.end
		a.frames = append(a.frames, f)
	}
	return a, nil
}

func (a *archive) appendIndex(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, skippable)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(a.frames)*entryBytes+trailerBytes))
	start := len(b)
	for _, f := range a.frames {
		b = binary.LittleEndian.AppendUint64(b, uint64(f.first))
		b = binary.LittleEndian.AppendUint64(b, uint64(f.end))
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(a.last))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(a.frames)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
	return append(b, archiveMagic...)
}

// archiveCursor walks an archive from line pos.
type archiveCursor struct {
	*archive
	dec      *zstd.Decoder
	file     *os.File
	upcoming int // next frame
	pos      int64
	src      *recordReader
}

func (a *archive) open(dec *zstd.Decoder, from int64) (cursor, error) {
	f, err := os.Open(a.path)
	if err != nil {
		return nil, err
	}
	i := sort.Search(len(a.frames), func(i int) bool { return a.frames[i].first > from })
	return &archiveCursor{archive: a, dec: dec, file: f, upcoming: max(i-1, 0), pos: from}, nil
}

func (c *archiveCursor) next() (record, error) {
	for {
		if c.src != nil {
			rec, err := c.src.next(c.pos)
			if err != io.EOF {
				rec.n = max(rec.n, c.pos)
				return rec, err
			}
		}
		if c.upcoming == len(c.frames) {
			return record{}, io.EOF
		}
		if err := c.load(c.frames[c.upcoming]); err != nil {
			return record{}, fmt.Errorf("%s: frame %d: %w", c.path, c.upcoming, err)
		}
		c.upcoming++
	}
}

func (c *archiveCursor) load(f frame) error {
	packed := make([]byte, f.end-f.off)
	if _, err := c.file.ReadAt(packed, f.off); err != nil {
		return err
	}
	plain, err := c.dec.DecodeAll(packed, make([]byte, 0, maxFrameBytes))
	if err != nil {
		return err
	}
	c.src = newRecordReader(bytes.NewReader(plain), 4<<10)
	return nil
}

func (c *archiveCursor) close() { c.file.Close() }
