package joblog

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func decodeAll(data []byte) (recs []record, whole int64, err error) {
	r := newRecordReader(bytes.NewReader(data), 16)
	for {
		rec, err := r.next(0)
		if err != nil {
			return recs, r.read, err
		}
		recs = append(recs, rec)
	}
}

// FuzzRecords: whatever a segment holds, reading it ends in io.EOF or errTorn,
// and what was read encodes to records that read the same.
func FuzzRecords(f *testing.F) {
	good := record{kind: kindOut, n: 1, to: 1, at: 5, step: "build", text: "hello"}.appendTo(nil)
	good = record{kind: kindLost, n: 2, to: 9, at: -5, text: "r"}.appendTo(good)
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(append(bytes.Clone(good), make([]byte, 64)...))
	f.Add([]byte{255, 255, 255, 255, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		recs, whole, err := decodeAll(data)
		if err != io.EOF && !errors.Is(err, errTorn) {
			t.Fatalf("unexpected error %v", err)
		}
		if whole > int64(len(data)) || (err == io.EOF) != (whole == int64(len(data))) {
			t.Fatalf("read %d of %d bytes, then %v", whole, len(data), err)
		}
		var again []byte
		for _, rec := range recs {
			if rec.n < 1 || rec.to < rec.n || (rec.kind.isLine() && rec.to != rec.n) {
				t.Fatalf("bad numbers: %+v", rec)
			}
			again = rec.appendTo(again)
		}
		recs2, _, err := decodeAll(again)
		if diff := cmp.Diff(recs, recs2, cmp.AllowUnexported(record{})); diff != "" || err != io.EOF {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

// TestRecordsRejectDamage flips each bit of a record.
func TestRecordsRejectDamage(t *testing.T) {
	good := record{kind: kindErr, n: 300, to: 300, at: 1 << 40, step: "test", text: "some text"}.appendTo(nil)
	for i := range len(good) * 8 {
		bad := bytes.Clone(good)
		bad[i/8] ^= 1 << (i % 8)
		if recs, _, err := decodeAll(bad); len(recs) != 0 || !errors.Is(err, errTorn) {
			t.Errorf("bit %d: %+v, %v", i, recs, err)
		}
	}
}

func TestSegmentNames(t *testing.T) {
	for name, want := range map[string]int64{
		segmentName(1, "a"):             1,
		segmentName(maxNumber, "w-1"):   maxNumber,
		"0000000000000000000-a.log":     0,
		"9999999999999999999-a.log":     0,
		"0000000000000000001-.log":      0,
		"0000000000000000001-a.log.tmp": 0,
		"1-a.log":                       0,
		archiveName:                     0,
		sealName:                        0,
	} {
		first, ok := parseSegmentName(name)
		if ok != (want > 0) || (ok && first != want) {
			t.Errorf("%s: %d, %v", name, first, ok)
		}
	}
}
