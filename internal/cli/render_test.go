package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

func TestNeutral(t *testing.T) {
	for in, want := range map[string]string{
		"plain ü 船闸\ttab":             "plain ü 船闸\ttab",
		"\x1b[31mred\x1b[0m done":     "\x1b[31mred\x1b[0m done\x1b[0m",
		"\x1b[2J\x1b[Hgone":           "gone",
		"\x1b]0;title\x07x":           "x",
		"\x1b]52;c;ZXZpbA==\x1b\\x":   "x",
		"\x1b]8;;http://evil\x07link": "link",
		"over\rwrite\x08\x00":         "overwrite",
		"\x1bc reset":                 " reset",
		"\u009b31mC1":                 "C1",
		"half \x1b[":                  "half ",
		"\x1b[31\x1b[2Jm":             "31m",
		"rtl \u202eevil":              "rtl evil",
	} {
		if got := neutral(in); got != want {
			t.Errorf("neutral(%q) = %q, want %q", in, got, want)
		}
	}
	if got := word("a\x1b[31mb\tc\nd\re"); got != "ab c de" {
		t.Errorf("word = %q", got)
	}
}

func TestCauseShowsEvidenceAndNextStep(t *testing.T) {
	got := (&console{}).causeLines(&delivery.Cause{
		Text: "exit code 1", Step: "test", Evidence: []string{"--- FAIL: TestX\n    x_test.go:3: bad\x1b[2J", "FAIL"}, Next: "fix the test",
	})
	want := []string{
		"Cause: exit code 1 (step test)", "    --- FAIL: TestX", "        x_test.go:3: bad", "    FAIL", "Next: fix the test",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestScreen(t *testing.T) {
	var plain, drawn bytes.Buffer
	log, term := newScreen(&plain, false), newScreen(&drawn, true)
	for _, lines := range [][]string{{"shop#1 queued"}, {"shop#1 running", "  ▸ test"}, {"shop#1 running", "  ✓ test 1s"}} {
		log.show(lines)
		term.show(lines)
	}
	if want := "shop#1 queued\nshop#1 running\n  ▸ test\n  ✓ test 1s\n"; plain.String() != want {
		t.Errorf("plain: %q", plain.String())
	}
	want := "\r\x1b[Jshop#1 queued\n\x1b[1A\r\x1b[Jshop#1 running\n  ▸ test\n\x1b[2A\r\x1b[Jshop#1 running\n  ✓ test 1s\n"
	if drawn.String() != want {
		t.Errorf("drawn: %q", drawn.String())
	}
	drawn.Reset()
	term.show([]string{strings.Repeat("船", 41)}) // two rows of 80 columns
	term.show(nil)
	if !strings.HasSuffix(drawn.String(), "\x1b[2A\r\x1b[J") {
		t.Errorf("drawn over: %q", drawn.String())
	}
}

func TestTable(t *testing.T) {
	var out, errs bytes.Buffer
	c := &console{Deps: Deps{Out: &out, Err: &errs}}
	c.table("APP TITLE AGE", [][]string{{"shop", "发布 v2", "3m"}, {"船闸", "", "2h"}})
	want := "APP   TITLE    AGE\nshop  发布 v2  3m\n船闸  -        2h\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	c.table("APP", nil)
	if errs.Len() == 0 {
		t.Error("an empty table says nothing")
	}
	for line, want := range map[string]string{"short": "short", "exactly8": "exactly8", "longer than 8": "longer …", "船闸船闸船": "船闸船…"} {
		if got := clip(line, 8); got != want {
			t.Errorf("clip(%q) = %q, want %q", line, got, want)
		}
	}
}

func TestTimesForPeople(t *testing.T) {
	now := time.Date(2026, 1, 20, 3, 4, 5, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "0s", 59 * time.Second: "59s", 90 * time.Second: "1m", 5 * time.Hour: "5h", 50 * time.Hour: "2d", -time.Second: "0s",
	} {
		if got := age(now, now.Add(-d)); got != want {
			t.Errorf("age of %s: %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		41234 * time.Microsecond: "41ms", 1234 * time.Millisecond: "1.2s", time.Minute: "1m", 65 * time.Second: "1m5s",
		10 * time.Minute: "10m", time.Hour: "1h", 90*time.Minute + time.Second: "1h30m",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestReleaseLines(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	held := api.Release{ReleaseSummary: api.ReleaseSummary{
		App: "shop", Env: "prod", Kind: "deploy", State: "paused", Manual: true,
		Revision: api.RevisionSummary{RunNumber: 7, Commit: delivery.Commit{SHA: "0123456789"}},
		Batches: []api.ReleaseBatch{
			{Asked: 25, Effective: 25, Hold: "manual", StartedAt: at, ReadyAt: at.Add(1200 * time.Millisecond)}, {Asked: 100, Hold: "none"},
		},
	}}
	blocked := api.Release{
		ReleaseSummary: api.ReleaseSummary{App: "shop", Env: "prod", Kind: "deploy", State: "proposed", Revision: held.Revision},
		Blockers:       []delivery.Cause{{Text: "another release is under way on shop/prod", Next: "wait for it, or abort it"}},
	}
	coming := held
	coming.State, coming.Manual, coming.Revision.ID = "rolling", false, "sha256:b"
	coming.Batches = []api.ReleaseBatch{{Asked: 25, Hold: "none", StartedAt: at}, {Asked: 100, Hold: "none"}}
	coming.Observed = &delivery.Observed{Versions: []delivery.ObservedVersion{
		{Revision: "sha256:a", Ready: 4, Total: 4}, {Revision: "sha256:b", Ready: 0, Total: 1, Cause: &delivery.Cause{Text: "the image is not there", Next: "see its name"}},
	}}
	back := held
	back.State, back.Manual, back.Ending = "rolling", false, "failed"
	back.Cause = &delivery.Cause{Text: "it crashed at start"}
	for _, c := range []struct {
		release api.Release
		want    []string
	}{
		{held, []string{
			"shop → prod  deploy #7 01234567  paused",
			"  batch 1 of 2: asked 25 %, effective 25 %, healthy after 1.2s, holds: manual",
			"Holds at 25 % until a person continues.",
			"Next: shiplock release continue shop --env prod (or full, or abort)",
		}},
		{blocked, []string{
			"shop → prod  deploy #7 01234567  proposed", "Cause: another release is under way on shop/prod", "Next: wait for it, or abort it",
		}},
		{coming, []string{
			"shop → prod  deploy #7 01234567  rolling",
			"  batch 1 of 2: asked 25 %, not healthy yet",
			"  0 of 1 instances of the new version are ready",
			"Cause: the image is not there", "Next: see its name",
		}},
		{back, []string{
			"shop → prod  deploy #7 01234567  rolling, going back to the old version (failed)",
			"  batch 1 of 2: asked 25 %, effective 25 %, healthy after 1.2s, holds: manual",
			"Cause: it crashed at start",
		}},
	} {
		if diff := cmp.Diff(c.want, (&console{}).releaseLines(c.release)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRunLines(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	queued := api.Run{RunSummary: api.RunSummary{Name: "shop#1", Env: "dev", State: "queued", Queue: &api.QueuePlace{Position: 2, Total: 3}}}
	failed := api.Run{
		RunSummary: api.RunSummary{Name: "shop#1", Env: "dev", State: "failed", StartedAt: at, FinishedAt: at.Add(time.Minute), Tests: &delivery.Tests{Passed: 3, Failed: 1}},
		Jobs: []delivery.Job{{
			Lost: []delivery.LostAttempt{{Attempt: 1, Cause: delivery.Cause{Text: "the node is gone"}}},
			Steps: []delivery.Step{
				{Name: "checkout", State: "succeeded", StartedAt: at, FinishedAt: at.Add(40 * time.Millisecond)},
				{Name: "test", State: "failed", Tests: &delivery.Tests{Passed: 3, Failed: 1}, Coverage: &delivery.Coverage{CoveredLines: 7, Lines: 8}, Usage: delivery.Usage{PeakMemory: 5 << 20}, Warnings: []string{"lcov report x.info: it is empty"}},
				{Name: "image", State: "skipped"},
			},
		}},
	}
	for _, c := range []struct {
		run  api.Run
		want []string
	}{
		{queued, []string{"shop#1 → dev  queued (2 of 3 in line)"}},
		{failed, []string{
			"shop#1 → dev  failed  1m  3 passed, 1 failed, 0 skipped", "  ↻ attempt 1 was lost: the node is gone", "  ✓ checkout     40ms",
			"  ✗ test           3 passed, 1 failed, 0 skipped, covers 87.5 % of 8 lines  5 MiB", "    ! lcov report x.info: it is empty", "  – image",
		}},
	} {
		if diff := cmp.Diff(c.want, (&console{}).runLines(c.run)); diff != "" {
			t.Error(diff)
		}
	}
}

// A run says what it waits for as long as it waits.
func TestRunThatWaits(t *testing.T) {
	r := api.Run{RunSummary: api.RunSummary{
		Name: "shop#1", Env: "dev", State: delivery.RunRunning, Cause: &delivery.Cause{Text: "no node takes the build: 0/3 nodes are available"},
	}}
	want := []string{"shop#1 → dev  running", "  waits: no node takes the build: 0/3 nodes are available"}
	if diff := cmp.Diff(want, (&console{}).runLines(r)); diff != "" {
		t.Error(diff)
	}
	r.State = delivery.RunErrored
	if got := (&console{}).runLines(r); len(got) != 1 {
		t.Errorf("one that is over waits for nothing: %q", got)
	}
}

func TestSilentLine(t *testing.T) {
	if got, want := (&console{}).silentLine([]string{"a", "b"}), "no push hook ever came for a, b: see `shiplock get hooks`"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (&console{}).silentLine(strings.Fields("a b c d e f g")); !strings.Contains(got, "a, b, c, d, e and 2 more:") {
		t.Errorf("%q", got)
	}
}

func TestExplainedResults(t *testing.T) {
	ex := api.Explanation{Run: api.RunSummary{
		Name: "shop#1", App: "shop", Number: 1, Env: "dev", State: "succeeded", Artifact: "sha256:1",
		Tests: &delivery.Tests{Passed: 3}, Coverage: &delivery.Coverage{CoveredLines: 1085, Lines: 1240},
	}}
	want := []string{
		"shop#1 → dev  succeeded", "Results: 3 passed, 0 failed, 0 skipped, covers 87.5 % of 1,240 lines",
		"Next: shiplock release create shop --env dev --run 1",
	}
	if diff := cmp.Diff(want, (&console{}).explained(ex)); diff != "" {
		t.Error(diff)
	}
}
