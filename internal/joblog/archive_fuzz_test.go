package joblog

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// listCursor gives out records.
type listCursor struct{ recs []record }

func (c *listCursor) next() (record, error) {
	if len(c.recs) == 0 {
		return record{}, io.EOF
	}
	rec := c.recs[0]
	c.recs = c.recs[1:]
	return rec, nil
}

func (c *listCursor) close() {}

// FuzzArchive: a damaged or forged archive is refused or ends; it takes no more
// memory than two frames, and no record comes from nowhere. The index is given a
// right checksum, so that what is behind it is reached.
func FuzzArchive(f *testing.F) {
	var good bytes.Buffer
	recs := []record{{kind: kindOut, n: 1, to: 1, step: "s", text: "a"}, {kind: kindLost, n: 2, to: 9, text: "gone"}, {kind: kindErr, n: 10, to: 10, text: "b"}}
	if err := writeArchive(context.Background(), &good, &listCursor{recs}); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes(), uint16(0), int64(0), false)
	f.Add(good.Bytes()[:good.Len()-trailerBytes-entryBytes-8], uint16(0), int64(10), true)
	bomb, err := zstd.NewWriter(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bomb.EncodeAll(make([]byte, 64<<20), nil), uint16(9), int64(1<<60), true)
	f.Add([]byte{}, uint16(0), int64(-1), true)
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(2*maxFrameBytes))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(dec.Close)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte, cut uint16, last int64, index bool) {
		if index {
			at := min(int64(cut), int64(len(content)))
			a := archive{last: last, frames: []frame{{first: 1, end: at}, {first: last, off: at, end: int64(len(content))}}}
			content = a.appendIndex(bytes.Clone(content))
		}
		path := filepath.Join(dir, archiveName)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := openArchive(dir)
		if err != nil {
			return
		}
		for _, from := range []int64{1, last, -1} {
			c, err := a.open(dec, from)
			if err != nil {
				t.Fatal(err)
			}
			for n := 0; ; n++ {
				rec, err := c.next()
				if err != nil {
					break
				}
				if rec.to < from || rec.n > rec.to || n > 2*2*maxFrameBytes/headerBytes {
					t.Fatalf("record %d from %d: %+v", n, from, rec)
				}
			}
			c.close()
		}
	})
}
