package delivery_test

import (
	"fmt"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestBlockers(t *testing.T) {
	running := func(number int) []delivery.Deployed { return []delivery.Deployed{{Revision: revision(number)}} }
	paused := &delivery.Cancellation{By: ann}
	for name, tc := range map[string]struct {
		kind   delivery.ReleaseKind
		number int
		target delivery.Target
		want   string
	}{
		"an empty target":           {delivery.ReleaseDeploy, 1, delivery.Target{}, "[]"},
		"newer than what runs":      {delivery.ReleaseDeploy, 3, delivery.Target{History: running(2)}, "[]"},
		"the same run":              {delivery.ReleaseDeploy, 2, delivery.Target{History: running(2)}, "[]"},
		"older than what runs":      {delivery.ReleaseDeploy, 1, delivery.Target{History: running(2)}, "[release.older]"},
		"a rollback may be older":   {delivery.ReleaseRollback, 1, delivery.Target{History: running(2)}, "[]"},
		"another release":           {delivery.ReleaseDeploy, 1, delivery.Target{Active: "release-9"}, "[target.busy]"},
		"itself":                    {delivery.ReleaseDeploy, 1, delivery.Target{Active: "release-1"}, "[]"},
		"a paused target":           {delivery.ReleaseDeploy, 1, delivery.Target{Paused: paused}, "[target.paused]"},
		"a pause holds no rollback": {delivery.ReleaseRollback, 1, delivery.Target{Paused: paused}, "[]"},
		"a rollback waits its turn": {delivery.ReleaseRollback, 1, delivery.Target{Active: "release-9"}, "[target.busy]"},
		"all of them": {delivery.ReleaseDeploy, 1, delivery.Target{Active: "release-9", Paused: paused, History: running(2)},
			"[target.busy target.paused release.older]"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelease("release-1", tc.kind, tc.number)
			f := delivery.ReleaseFacts{Target: tc.target}
			codes := []string{}
			for _, c := range r.Blockers(t0, f) {
				codes = append(codes, c.Code)
				if c.Text == "" || c.Next == "" {
					t.Errorf("%s says %q, next %q", c.Code, c.Text, c.Next)
				}
			}
			if got := fmt.Sprint(codes); got != tc.want {
				t.Fatalf("%s, want %s", got, tc.want)
			}
			actions, _ := r.Next(t0, f)
			if starts := len(actions) > 0; starts != (len(codes) == 0) {
				t.Errorf("blocked by %v, and Next gives %s", codes, describe(actions, false))
			}
		})
	}
}

func TestAutomaticReleaseThatIsTooOldEnds(t *testing.T) {
	r := newRelease("release-1", delivery.ReleaseDeploy, 1)
	r.Automatic = true
	tgt := delivery.Target{History: []delivery.Deployed{{Revision: revision(2), Release: "release-2"}}}
	actions, _ := r.Next(t0, delivery.ReleaseFacts{Target: tgt})
	if got := describe(actions, false); got != "record release.superseded" {
		t.Errorf("Next gives %q", got)
	}
}

func TestPreviousIsNeverWhatWasRolledBack(t *testing.T) {
	entry := func(number int, rolledBack bool) delivery.Deployed {
		return delivery.Deployed{Revision: revision(number), RolledBack: rolledBack}
	}
	for name, tc := range map[string]struct {
		history []delivery.Deployed
		want    int
	}{
		"nothing ran":            {nil, 0},
		"only one":               {[]delivery.Deployed{entry(1, false)}, 0},
		"the one before":         {[]delivery.Deployed{entry(1, false), entry(2, false)}, 1},
		"the same again":         {[]delivery.Deployed{entry(1, false), entry(2, false), entry(2, false)}, 1},
		"after a rollback":       {[]delivery.Deployed{entry(1, false), entry(2, true), entry(1, false)}, 0},
		"two good ones before":   {[]delivery.Deployed{entry(1, false), entry(2, false), entry(3, true), entry(2, false)}, 1},
		"after the next release": {[]delivery.Deployed{entry(1, false), entry(2, true), entry(1, false), entry(3, false)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := 0
			if d := (delivery.Target{History: tc.history}).Previous(); d != nil {
				got = d.Revision.RunNumber
			}
			if got != tc.want {
				t.Errorf("goes back to %d, want %d", got, tc.want)
			}
		})
	}
}
