package kubernetes

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func logOf(pod, text string, after time.Time) *lineReader {
	return newLineReader(source{pod: pod}, io.NopCloser(strings.NewReader(text)), after)
}

// stamped writes lines "SECOND TEXT" as a log has them.
func stamped(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		second, text, _ := strings.Cut(l, " ")
		fmt.Fprintf(&b, "2026-11-26T10:00:%s.5Z %s\n", second, text)
	}
	return b.String()
}

func TestLogsAreMergedInTheOrderOfTheirTimes(t *testing.T) {
	var got []string
	err := merged([]*lineReader{
		logOf("a", stamped("01 one", "04 four"), time.Time{}),
		logOf("b", "", time.Time{}),
		logOf("c", stamped("02 two", "03 three", "04 after a's")+"2026-11-26T10:00:05Z no end", time.Time{}),
	}, func(l delivery.AppLine) error {
		got = append(got, l.Pod+" "+l.Text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a one", "c two", "c three", "a four", "c after a's", "c no end"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheReaderEndsTheMerge(t *testing.T) {
	enough := errors.New("enough")
	err := merged([]*lineReader{logOf("a", stamped("01 one", "02 two"), time.Time{})}, func(delivery.AppLine) error { return enough })
	if !errors.Is(err, enough) {
		t.Errorf("error %v", err)
	}
}

func TestALogThatIsOpenedAgainGoesOn(t *testing.T) {
	r := logOf("a", stamped("01 one", "02 two", "03 three"), time.Date(2026, 11, 26, 10, 0, 2, 500_000_000, time.UTC))
	l, err := r.next()
	if err != nil || l.Text != "three" {
		t.Errorf("%q, %v", l.Text, err)
	}
	if _, err := r.next(); !errors.Is(err, io.EOF) {
		t.Errorf("error %v", err)
	}
}

func TestALongLineIsCutAndTheNextOneIsWhole(t *testing.T) {
	r := logOf("a", stamped("01 "+strings.Repeat("x", 3*delivery.MaxAppLine), "02 two"), time.Time{})
	long, err := r.next()
	if err != nil || len(long.Text) > delivery.MaxAppLine+len("…") || !strings.HasSuffix(long.Text, "x…") {
		t.Errorf("%d bytes, %v", len(long.Text), err)
	}
	if next, err := r.next(); err != nil || next.Text != "two" {
		t.Errorf("%q, %v", next.Text, err)
	}
}

// A line that the connection breaks in comes again, and whole, when the log is opened
// again.
func TestABrokenLineIsNotHandedOn(t *testing.T) {
	broken := errors.New("reset by peer")
	r := newLineReader(source{}, io.NopCloser(io.MultiReader(strings.NewReader(stamped("01 one")+"2026-11-26T10:00:02Z tw"), failing{broken})), time.Time{})
	if l, err := r.next(); err != nil || l.Text != "one" {
		t.Fatalf("%q, %v", l.Text, err)
	}
	if l, err := r.next(); !errors.Is(err, broken) {
		t.Errorf("%q, %v", l.Text, err)
	}
	if r.last.Second() != 1 {
		t.Errorf("goes on after %v", r.last)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
