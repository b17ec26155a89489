package joblog

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A record on disk is
//
//	uint32 length of payload | uint32 CRC-32C of payload | payload
//	payload: kind | uvarint n | uvarint to-n | varint at | uvarint len(step) | step | text
//
// little-endian. A zero length is never valid, so a zero-filled tail ends a file.
const (
	headerBytes = 8
	// maxPayload exceeds every record that accept lets through.
	maxPayload = maxLineBytes + maxStepBytes + 256
)

// errTorn means that no whole record follows: the writer was interrupted, or
// the bytes were damaged.
var errTorn = errors.New("torn record")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type kind byte

const (
	kindOut kind = iota + 1
	kindErr
	kindSys
	kindLost  // lines n…to were given up; text is the reason
	kindLimit // the log is full; later lines were dropped
)

func kindOf(stream string) kind {
	switch stream {
	case Out:
		return kindOut
	case Err:
		return kindErr
	case Sys:
		return kindSys
	}
	return 0
}

func (k kind) stream() string {
	switch k {
	case kindOut:
		return Out
	case kindErr:
		return Err
	}
	return Sys
}

// isLine tells content from markers, which give way to content.
func (k kind) isLine() bool { return k <= kindSys }

type record struct {
	kind  kind
	n, to int64 // to == n except for kindLost
	at    int64
	step  string
	text  string
}

func (r record) line() Line {
	l := Line{N: r.n, At: r.at, Step: r.step, Stream: r.kind.stream(), Text: r.text}
	switch r.kind {
	case kindLost:
		l.Text = lostText(r.to-r.n+1, r.text)
	case kindLimit:
		l.Text = "… log limit reached, further lines are not kept"
	}
	return l
}

func lostText(count int64, reason string) string {
	if count == 1 {
		return "… 1 line lost: " + reason
	}
	return fmt.Sprintf("… %d lines lost: %s", count, reason)
}

// appendTo appends r's bytes to b.
func (r record) appendTo(b []byte) []byte {
	start := len(b)
	b = append(b, make([]byte, headerBytes)...)
	b = append(b, byte(r.kind))
	b = binary.AppendUvarint(b, uint64(r.n))
	b = binary.AppendUvarint(b, uint64(r.to-r.n))
	b = binary.AppendVarint(b, r.at)
	b = binary.AppendUvarint(b, uint64(len(r.step)))
	b = append(b, r.step...)
	b = append(b, r.text...)
	payload := b[start+headerBytes:]
	binary.LittleEndian.PutUint32(b[start:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(payload, castagnoli))
	return b
}

// recordReader reads records one after the other.
type recordReader struct {
	src  *bufio.Reader
	buf  []byte
	step string // the last one, shared by the lines of a step
	read int64  // bytes of the whole records so far
}

func newRecordReader(src io.Reader, buffer int) *recordReader {
	return &recordReader{src: bufio.NewReaderSize(src, buffer)}
}

// next returns the next record that ends at line from or later. It returns
// io.EOF at the end and errTorn where no whole record follows.
func (r *recordReader) next(from int64) (record, error) {
	for {
		payload, err := r.payload()
		if err != nil {
			return record{}, err
		}
		rec, rest, ok := decodeNumbers(payload)
		if !ok {
			return record{}, errTorn
		}
		if rec.to >= from {
			if rec, ok = r.decodeStrings(rec, rest); !ok {
				return record{}, errTorn
			}
		}
		r.read += int64(headerBytes + len(payload))
		if rec.to >= from {
			return rec, nil
		}
	}
}

// payload returns the checked payload of the next record, valid until the next call.
func (r *recordReader) payload() ([]byte, error) {
	var header [headerBytes]byte
	if _, err := io.ReadFull(r.src, header[:]); err != nil {
		return nil, tornAt(err)
	}
	size := binary.LittleEndian.Uint32(header[:])
	if size == 0 || size > maxPayload {
		return nil, errTorn
	}
	if cap(r.buf) < int(size) {
		r.buf = make([]byte, max(int(size), 512))
	}
	payload := r.buf[:size]
	if _, err := io.ReadFull(r.src, payload); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, tornAt(err)
	}
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(header[4:]) {
		return nil, errTorn
	}
	return payload, nil
}

func tornAt(err error) error {
	if err == io.ErrUnexpectedEOF {
		return errTorn
	}
	return err
}

func decodeNumbers(b []byte) (rec record, rest []byte, ok bool) {
	k := kind(b[0])
	if k < kindOut || k > kindLimit {
		return record{}, nil, false
	}
	b = b[1:]
	n, w := binary.Uvarint(b)
	if w <= 0 || n < 1 || n > maxNumber+MaxBatchLines {
		return record{}, nil, false
	}
	b = b[w:]
	span, w := binary.Uvarint(b)
	if w <= 0 || span > maxNumber || (span > 0 && k != kindLost) {
		return record{}, nil, false
	}
	return record{kind: k, n: int64(n), to: int64(n + span)}, b[w:], true
}

func (r *recordReader) decodeStrings(rec record, b []byte) (record, bool) {
	at, w := binary.Varint(b)
	if w <= 0 {
		return rec, false
	}
	b = b[w:]
	size, w := binary.Uvarint(b)
	if w <= 0 || size > uint64(len(b)-w) {
		return rec, false
	}
	step, text := b[w:w+int(size)], b[w+int(size):]
	if r.step != string(step) {
		r.step = string(step)
	}
	rec.at, rec.step, rec.text = at, r.step, string(text)
	return rec, true
}
