package delivery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"pgregory.net/rapid"
)

func TestRunReachesItsRightEnd(t *testing.T) {
	cancelAt := func(d time.Duration) *time.Duration { return &d }
	for name, tc := range map[string]struct {
		conducts []runnerConduct
		cancel   *time.Duration
		want     delivery.RunState
		cause    string
		lost     int
		within   time.Duration
	}{
		"good":                          {[]runnerConduct{good}, nil, delivery.RunSucceeded, "", 0, 6 * time.Minute},
		"the user's failure":            {[]runnerConduct{bad}, nil, delivery.RunFailed, "", 0, 2 * time.Minute},
		"pod dies once":                 {[]runnerConduct{dies, good}, nil, delivery.RunSucceeded, "", 1, 8 * time.Minute},
		"pod dies always":               {[]runnerConduct{dies}, nil, delivery.RunErrored, "attempt.gone", 3, 5 * time.Minute},
		"nobody claims":                 {[]runnerConduct{absent}, nil, delivery.RunErrored, "attempt.not_started", 3, 4 * time.Minute},
		"falls silent and comes back":   {[]runnerConduct{silent, good}, nil, delivery.RunSucceeded, "", 1, 11 * time.Minute},
		"takes too long":                {[]runnerConduct{endless}, nil, delivery.RunFailed, "job.timeout", 0, 21 * time.Minute},
		"canceled while starting":       {[]runnerConduct{absent}, cancelAt(10 * time.Second), delivery.RunCanceled, "run.canceled", 0, time.Minute},
		"canceled while running":        {[]runnerConduct{endless}, cancelAt(time.Minute), delivery.RunCanceled, "run.canceled", 0, 2 * time.Minute},
		"canceled and deaf":             {[]runnerConduct{deaf}, cancelAt(time.Minute), delivery.RunCanceled, "run.canceled", 0, 2 * time.Minute},
		"canceled between two attempts": {[]runnerConduct{dies, good}, cancelAt(62 * time.Second), delivery.RunCanceled, "run.canceled", 1, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFarm(t, 1)
			r := f.add("run-1", tc.conducts...)
			if tc.cancel != nil {
				f.play(*tc.cancel)
				if err := f.fold(r, delivery.CancelRequested{By: ann, At: f.now}); err != nil {
					t.Fatal(err)
				}
			}
			f.play(2 * time.Hour)
			if r.State() != tc.want || len(r.Jobs[0].Lost) != tc.lost {
				t.Fatalf("%s with %d attempts lost, want %s with %d: %v", r.State(), len(r.Jobs[0].Lost), tc.want, tc.lost, r.Cause())
			}
			if c := r.Cause(); tc.cause != "" && (c == nil || c.Code != tc.cause) {
				t.Errorf("cause %+v, want %s", c, tc.cause)
			}
			if took := r.FinishedAt.Sub(t0); took > tc.within {
				t.Errorf("took %s, want at most %s", took, tc.within)
			}
		})
	}
}

func TestLostRunnerThatComesBackIsGone(t *testing.T) {
	f := newFarm(t, 2)
	slow := good
	slow.endsAfter = 18 * time.Minute
	r := f.add("run-1", silent, slow)
	f.attemptsOutliveStop()
	f.play(time.Hour)
	if r.State() != delivery.RunSucceeded || r.Jobs[0].Attempt != 2 || f.gone != 1 {
		t.Errorf("%s by attempt %d, %d reports gone", r.State(), r.Jobs[0].Attempt, f.gone)
	}
}

// attemptsOutliveStop makes the silent runner survive its pod's end, as on a
// partitioned node.
func (f *farm) attemptsOutliveStop() {
	for id, conducts := range f.conducts {
		conducts[0].deaf = true
		f.conducts[id] = conducts
	}
}

func TestRunsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFarm(rt, rapid.IntRange(1, 3).Draw(rt, "capacity"))
		all := []runnerConduct{good, bad, dies, silent, endless, deaf, absent}
		for n := range rapid.IntRange(1, 5).Draw(rt, "runs") {
			r := f.add(delivery.RunID(fmt.Sprintf("run-%d", n)), rapid.SliceOfN(rapid.SampledFrom(all), 1, 3).Draw(rt, "conduct")...)
			r.Lane, r.Team = rapid.IntRange(0, 2).Draw(rt, "lane"), rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "team")
		}
		for range rapid.IntRange(0, 3).Draw(rt, "cancels") {
			f.play(time.Duration(rapid.IntRange(1, 300).Draw(rt, "pause")) * time.Second)
			r := rapid.SampledFrom(f.runs).Draw(rt, "canceled")
			_ = f.fold(r, delivery.CancelRequested{By: ann, At: f.now}) // may have ended
		}
		f.play(24 * time.Hour)
		for _, r := range f.runs {
			if !r.State().Terminal() {
				rt.Fatalf("%s never ended: %s", r.ID, text(rt, r))
			}
		}
	})
}
