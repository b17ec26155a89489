package quality

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// charset is how bytes of an XML file become characters.
type charset int

const (
	unicodeSet charset = iota // UTF-8
	latin                     // ISO 8859-1
	other                     // anything else that contains ASCII, such as GBK
)

// xmlText feeds a decoder with a file's text, byte by byte, and bounds each of its
// tokens. Reports hold what programs printed: what is no character, or none that
// XML allows, becomes U+FFFD. Of an encoding that is not known ASCII is kept,
// and that is all of a report but its messages.
type xmlText struct {
	in   *bufio.Reader
	set  charset
	rest []byte // of the current character
	left int    // bytes that the current token may still take
}

// maxToken bounds a token, such as the output of one test class.
const maxToken = 8 << 20

func newXMLText(in io.Reader) (*xmlText, error) {
	t := &xmlText{in: bufio.NewReaderSize(in, 32<<10), left: maxToken}
	head, err := t.in.Peek(3)
	switch {
	case len(head) == 0 && err != io.EOF:
		return nil, err
	case len(head) == 0:
		return nil, fmt.Errorf("it is empty")
	case string(head) == "\ufeff":
		_, _ = t.in.Discard(3) // they are there
	case len(head) > 1 && (string(head[:2]) == "\xff\xfe" || string(head[:2]) == "\xfe\xff" || head[0] == 0 || head[1] == 0):
		return nil, fmt.Errorf("it is UTF-16; write it in UTF-8")
	}
	return t, nil
}

// declared follows an XML declaration; the decoder goes on with what it returns.
func (t *xmlText) declared(label string, _ io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf8", "us-ascii", "ascii":
	case "iso-8859-1", "latin1", "windows-1252":
		t.set = latin
	default:
		t.set = other
	}
	return t, nil
}

func (t *xmlText) ReadByte() (byte, error) {
	if t.left--; t.left < 0 {
		return 0, errTooMuch
	}
	if len(t.rest) > 0 {
		b := t.rest[0]
		t.rest = t.rest[1:]
		return b, nil
	}
	b, err := t.in.ReadByte()
	if err != nil || b >= ' ' && b < 0x7f || b == '\n' || b == '\t' || b == '\r' {
		return b, err
	}
	t.rest = utf8.AppendRune(t.rest[:0], t.character(b))
	b, t.rest = t.rest[0], t.rest[1:]
	return b, nil
}

// character returns the one that begins with b, just read.
func (t *xmlText) character(b byte) rune {
	switch {
	case t.set == unicodeSet && b >= utf8.RuneSelf:
		_ = t.in.UnreadByte() // after a ReadByte
		r, _, _ := t.in.ReadRune()
		if r == '\ufffe' || r == '\uffff' {
			r = utf8.RuneError
		}
		return r
	case t.set == latin && b >= 0xa0:
		return rune(b)
	case b == 0x7f:
		return rune(b)
	}
	return utf8.RuneError
}

// Read makes an io.Reader of it; the decoder uses ReadByte.
func (t *xmlText) Read(p []byte) (int, error) {
	for i := range p {
		b, err := t.ReadByte()
		if err != nil {
			return i, err
		}
		p[i] = b
	}
	return len(p), nil
}
