package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzEvents: whatever a proxy in between makes of a stream, reading it ends; and
// what was read reads the same when it is written again, in any pieces.
func FuzzEvents(f *testing.F) {
	f.Add([]byte("retry: 1000\n\nevent: lines\nid: 7\ndata: [1]\n\n: \n\nevent: end\ndata: {}\n\n"))
	f.Add([]byte("event: a\r\ndata:x\r\n\r\n"))
	f.Add([]byte("data: no name\n\nevent:\n\nevent: cut"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		read := func(r io.Reader) (all []event) {
			err := readEvents(r, func() {}, func(e event) error {
				all = append(all, e)
				return nil
			})
			if err != nil && !errors.Is(err, ErrUnreachable) {
				t.Fatal(err)
			}
			return all
		}
		first := read(bytes.NewReader(stream))
		var text strings.Builder
		for _, e := range first {
			if e.name == "" || len(e.data) > len(stream) {
				t.Fatalf("event %+v", e)
			}
			fmt.Fprintf(&text, "event: %s\nid: %s\ndata: %s\n\n", e.name, e.id, e.data)
		}
		if bytes.ContainsRune(stream, '\r') {
			return // it ends lines too, and may be left in a name
		}
		if again := read(iotest.OneByteReader(strings.NewReader(text.String()))); fmt.Sprint(again) != fmt.Sprint(first) {
			t.Fatalf("%q, and then %q", first, again)
		}
	})
}
