package quality_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
	"github.com/shiplock/shiplock/internal/quality"
)

func read(r quality.Reader, input string) (shown []string) {
	for line := range strings.Lines(input) {
		if text, show := r.Line(strings.TrimSuffix(line, "\n")); show {
			shown = append(shown, text)
		}
	}
	return append(shown, r.End()...)
}

func recorded(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestGoTestJSON(t *testing.T) {
	r := quality.NewReader(quality.GoTestJSON, nil)
	shown := read(r, recorded(t, "go.json"))
	want := &delivery.Tests{Passed: 3, Failed: 2, Skipped: 1, Failures: []delivery.TestFailure{
		{Name: "TestSub/x", Message: "a_test.go:4: got 1"},
		{Name: "TestC", Message: "panic: assignment to entry in nil map"},
	}}
	if diff := cmp.Diff(want, r.Summary()); diff != "" {
		t.Error(diff)
	}
	text := strings.Join(shown, "\n")
	for _, line := range []string{"b/b_test.go:3:26: undefined: undefinedThing", "    a_test.go:4: got 1", "partial --- PASS: TestOK (0.00s)", "FAIL\tgt/b [build failed]"} {
		if !slices.Contains(shown, line) {
			t.Errorf("%q is not shown in\n%s", line, text)
		}
	}
	if strings.Contains(text, `"Action"`) || strings.Contains(text, "=== RUN") {
		t.Errorf("shows the protocol:\n%s", text)
	}
}

// A test binary that dies leaves tests without a result.
func TestGoTestDies(t *testing.T) {
	r := quality.NewReader(quality.GoTestJSON, nil)
	read(r, `go: downloading x v1.0.0
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/sub"}
{"Action":"output","Package":"p","Test":"TestA/sub","Output":"panic: test timed out after 1s\n"}
{"Action":"output","Package":"p","Output":"exit status 2\n"}
{"Action":"fail","Package":"p"}`)
	want := &delivery.Tests{Failed: 1, Failures: []delivery.TestFailure{{Name: "TestA/sub", Message: "panic: test timed out after 1s"}}}
	if diff := cmp.Diff(want, r.Summary()); diff != "" {
		t.Error(diff)
	}
}

// What a Go test says last is not always why it failed.
func TestWhyAGoTestFails(t *testing.T) {
	for name, c := range map[string]struct {
		output []string
		want   string
	}{
		"only report":    {[]string{"    a_test.go:4: got 1"}, "a_test.go:4: got 1"},
		"log before":     {[]string{"    a_test.go:3: adding", "    a_test.go:4: got 1, want 2"}, "a_test.go:4: got 1, want 2"},
		"log after":      {[]string{"    a_test.go:4: got 1, want 2", "    a_test.go:9: cleaned up"}, "a_test.go:4: got 1, want 2"},
		"silent words":   {[]string{"    a_test.go:3: adding", "    a_test.go:4: boom"}, "a_test.go:4: boom"},
		"testify":        {[]string{"    a_test.go:9: ", "        \tError Trace:\t/src/a_test.go:9", "        \tError:      \tNot equal: ", "        \t            \texpected: 1", "        \t            \tactual  : 2", "        \tTest:       \tTestX"}, "a_test.go:9: Not equal: expected: 1 actual : 2"},
		"log.Fatal":      {[]string{"2026/11/23 08:26:59 no fixture: open x.json"}, "no fixture: open x.json"},
		"panic":          {[]string{"    a_test.go:3: adding", "panic: boom [recovered, repanicked]", "", "goroutine 7 [running]:", "\t/go/src/testing/testing.go:1974 +0x232", "\t/src/cart/cart.go:5 +0x1d", "\t/src/a_test.go:9 +0x1d"}, "cart/cart.go:5: panic: boom"},
		"race":           {[]string{"==================", "WARNING: DATA RACE", "Read at 0x00c00 by goroutine 9:", "      /src/a_test.go:9 +0x2e", "    testing.go:1712: race detected during execution of test"}, "a_test.go:9: WARNING: DATA RACE"},
		"says nothing":   {nil, ""},
		"absolute paths": {[]string{"    a_test.go:9: open /src/testdata/x: no such file"}, "a_test.go:9: open testdata/x: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			r := quality.NewReader(quality.GoTestJSON, diagnose.Roots{{Dir: "/src"}})
			r.Line(`{"Action":"run","Package":"p","Test":"TestA"}`)
			for _, line := range c.output {
				quoted, err := json.Marshal(line + "\n")
				if err != nil {
					t.Fatal(err)
				}
				r.Line(`{"Action":"output","Package":"p","Test":"TestA","Output":` + string(quoted) + `}`)
			}
			r.Line(`{"Action":"fail","Package":"p","Test":"TestA"}`)
			want := []delivery.TestFailure{{Name: "TestA", Message: c.want}}
			if diff := cmp.Diff(want, r.Summary().Failures); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTAP(t *testing.T) {
	input := recorded(t, "node.tap")
	r := quality.NewReader(quality.TAP, nil)
	shown := read(r, input)
	if got := strings.Join(shown, "\n") + "\n"; got != input {
		t.Error("TAP is not shown as it is")
	}
	want := &delivery.Tests{Passed: 3, Failed: 2, Skipped: 2, Failures: []delivery.TestFailure{
		{Name: "outer > in bad", Message: "Expected values to be strictly equal: 1 !== 2"},
		{Name: "thrower", Message: "TypeError: boom line2"},
	}}
	if diff := cmp.Diff(want, r.Summary()); diff != "" {
		t.Error(diff)
	}
}

func TestTAPOfOthers(t *testing.T) {
	r := quality.NewReader(quality.TAP, nil)
	read(r, "1..4\nok 1 first\nnot ok 2 second\n  ---\n  message: \"half\"\n  ...\nnot ok 3 - third # TODO later\nnot ok\nBail out! no database")
	want := &delivery.Tests{Passed: 1, Failed: 3, Skipped: 1, Failures: []delivery.TestFailure{
		{Name: "second", Message: "half"}, {Name: "(unnamed)"}, {Name: "Bail out!", Message: "no database"},
	}}
	if diff := cmp.Diff(want, r.Summary()); diff != "" {
		t.Error(diff)
	}
}

// mocha writes what failed as plain lines below the result.
func TestTAPOfMocha(t *testing.T) {
	r := quality.NewReader(quality.TAP, diagnose.Roots{{Dir: "/ws/src"}})
	read(r, "not ok 1 sums\n  3 == 6\n  AssertionError [ERR_ASSERTION]: 3 == 6\n      at Context.<anonymous> (test/cart.js:3:27)\nok 2 is empty\nnot ok 3 throws\n  no list\n  TypeError: no list\n      at total (/ws/src/cart.js:1:32)\n      at Context.<anonymous> (test/cart.js:6:24)\n# tests 3")
	want := &delivery.Tests{Passed: 1, Failed: 2, Failures: []delivery.TestFailure{
		{Name: "sums", Message: "test/cart.js:3: 3 == 6"}, {Name: "throws", Message: "cart.js:1: TypeError: no list"},
	}}
	if diff := cmp.Diff(want, r.Summary()); diff != "" {
		t.Error(diff)
	}
}

func TestNoTests(t *testing.T) {
	if quality.NewReader("junit", nil) != nil {
		t.Error("an unknown format has a reader")
	}
	for _, format := range []string{quality.GoTestJSON, quality.TAP} {
		r := quality.NewReader(format, nil)
		if shown := read(r, "hello\n{\"not\": \"ours\"}\n"); len(shown) != 2 || r.Summary() != nil {
			t.Errorf("%s: shows %q, sums up %v", format, shown, r.Summary())
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, name := range []string{"go.json", "node.tap"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, input string) {
		for _, format := range []string{quality.GoTestJSON, quality.TAP} {
			r := quality.NewReader(format, nil)
			read(r, input)
			s := r.Summary()
			if s == nil {
				continue
			}
			if s.Passed < 0 || s.Failed < len(s.Failures) || len(s.Failures) > 10 {
				t.Fatalf("%s: %+v", format, s)
			}
			for _, x := range s.Failures {
				if len(x.Name) > 300+40*200 || len(x.Message) > 310 {
					t.Fatalf("%s: unbounded failure %d/%d", format, len(x.Name), len(x.Message))
				}
			}
		}
	})
}

func BenchmarkGoTestJSON(b *testing.B) {
	line := `{"Time":"2026-11-23T07:14:51.384266859Z","Action":"output","Package":"gt","Test":"TestSub/x","Output":"    a_test.go:4: got 1\n"}`
	r := quality.NewReader(quality.GoTestJSON, nil)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		r.Line(line)
	}
}
