package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func targetEvents() []event[delivery.Target] {
	fact := func(e delivery.Event) func(delivery.Target) delivery.Event {
		return func(delivery.Target) delivery.Event { return e }
	}
	observed := func(generation func(delivery.Target) int64, at time.Time) func(delivery.Target) delivery.Event {
		return func(t delivery.Target) delivery.Event {
			g := generation(t)
			if g < 0 || t.Desired.Generation == 0 {
				return nil // a Target without a wish is not observed
			}
			return delivery.TargetObserved{Observed: delivery.Observed{Generation: g, At: at}}
		}
	}
	nothing := func(t delivery.Target) int64 {
		if t.Applied == 0 {
			return -1
		}
		return 0
	}
	older := func(t delivery.Target) int64 {
		if t.Applied < 2 {
			return -1
		}
		return t.Applied - 1
	}
	deployed := &delivery.Deployed{Revision: revision(2), Release: "release-1", At: t0}
	return []event[delivery.Target]{
		{"desired.changed", func(t delivery.Target) delivery.Event {
			return delivery.DesiredChanged{Desired: otherWish(t.Desired)}
		}},
		{"desired.changed (the same wish)", func(t delivery.Target) delivery.Event {
			if t.Desired.Generation == 0 {
				return nil
			}
			return delivery.DesiredChanged{Desired: t.Desired}
		}},
		{"desired.applied", func(t delivery.Target) delivery.Event {
			if t.Desired.Generation == 0 {
				return nil
			}
			return delivery.DesiredApplied{Generation: t.Desired.Generation, At: t0}
		}},
		{"desired.applied (an older one)", func(t delivery.Target) delivery.Event {
			if t.Applied == 0 {
				return nil
			}
			return delivery.DesiredApplied{Generation: t.Applied - 1}
		}},
		{"target.observed (this wish)", observed(func(t delivery.Target) int64 { return t.Desired.Generation }, t0)},
		{"target.observed (this wish, behind)", func(t delivery.Target) delivery.Event {
			if t.Desired.Generation == 0 {
				return nil
			}
			return delivery.TargetObserved{Observed: delivery.Observed{Generation: t.Desired.Generation, Behind: true, At: t0}}
		}},
		{"target.observed (an older wish)", observed(older, t0)},
		{"target.observed (nothing)", observed(nothing, t0)},
		{"target.observed (nothing for 10 s)", observed(nothing, t0.Add(10*time.Second))},
		{"target.taken", fact(delivery.ReleaseTook{Release: "release-1"})},
		{"target.taken (by another)", fact(delivery.ReleaseTook{Release: "release-2"})},
		{"target.left (deployed, with bake)", fact(delivery.ReleaseLeft{
			Release: "release-1", Deployed: deployed, Desired: canaryWish(100), BakeUntil: t0.Add(time.Minute),
		})},
		{"target.left (deployed)", fact(delivery.ReleaseLeft{Release: "release-1", Deployed: deployed, Desired: stableWish()})},
		{"target.left (gone back)", fact(delivery.ReleaseLeft{Release: "release-1", Desired: stableWish()})},
		{"bake.ended", fact(delivery.BakeEnded{})},
		{"target.paused", fact(delivery.TargetPaused{By: delivery.Cancellation{By: ann, At: t0}})},
		{"target.resumed", fact(delivery.TargetResumed{})},
	}
}

func stableWish() delivery.Desired {
	one := revision(1)
	return delivery.Desired{Stable: &one}
}

func canaryWish(share int) delivery.Desired {
	one, two := revision(1), revision(2)
	return delivery.Desired{Stable: &one, Canary: &two, Share: share}
}

func otherWish(d delivery.Desired) delivery.Desired {
	if d.Canary == nil {
		return canaryWish(25)
	}
	return stableWish()
}

func targetMachine() machine[delivery.Target] {
	return machine[delivery.Target]{
		start:  []delivery.Target{{App: "shop", Env: "prod"}},
		events: targetEvents(),
		apply:  delivery.Target.Apply,
		fold:   foldTarget,
		due: func(t delivery.Target) string {
			actions, again := t.Next(t0, delivery.TargetFacts{})
			if text := describe(actions, !again.IsZero()); text != "" {
				return text
			}
			return "waits for a release"
		},
	}
}

// foldTarget keeps of the generations only how they relate.
func foldTarget(t delivery.Target) delivery.Target {
	const kept = 3
	if over := t.Desired.Generation - kept; over > 0 {
		low := func(g int64) int64 {
			if g <= 0 {
				return g
			}
			return max(1, g-over)
		}
		t.Desired.Generation, t.Applied, t.Observed.Generation = kept, low(t.Applied), low(t.Observed.Generation)
	}
	t.Told = min(t.Told, 1)
	t.Observed.URL, t.History = "", t.History[:min(1, len(t.History))]
	if !t.Observed.At.IsZero() {
		t.Observed.At = t0
	}
	return t
}

func wishStateName(t delivery.Target) string {
	shown := "an older wish shown"
	switch g := t.Observed.Generation; {
	case t.Desired.Generation == 0:
		return "no wish"
	case g < 0:
		shown = "lost"
	case g == 0 && t.Observed.At.IsZero():
		shown = "nothing shown"
	case g == 0:
		shown = "nothing shown for some time"
	case g == t.Desired.Generation && t.Observed.Behind && t.Told > 0:
		shown = "behind this wish and told again"
	case g == t.Desired.Generation && t.Observed.Behind:
		shown = "behind this wish"
	case g == t.Desired.Generation:
		shown = "this wish shown"
	}
	if t.Applied < t.Desired.Generation {
		if t.Applied == 0 {
			return "first wish to apply, " + shown
		}
		return "wish to apply, " + shown
	}
	return "wish accepted, " + shown
}

func wishGroup(t delivery.Target) string {
	switch {
	case t.Desired.Generation == 0:
		return "no wish"
	case t.Applied < t.Desired.Generation:
		return "to apply"
	case t.Observed.Generation < 0:
		return "lost"
	case t.Settled():
		return "settled"
	case t.Observed.Behind:
		return "behind"
	}
	return "accepted"
}

// holdDue leaves the wish out: it is what Next gives once the wish has come true.
func holdDue(t delivery.Target) string {
	t.Applied, t.Observed.Generation, t.Observed.Behind = t.Desired.Generation, t.Desired.Generation, false
	actions, again := t.Next(t0, delivery.TargetFacts{Waiting: []delivery.ReleaseID{"release-1"}})
	return describe(actions, !again.IsZero())
}

func holdStateName(t delivery.Target) string {
	name := "free"
	switch {
	case t.Active == "release-2":
		name = "held by another"
	case t.Active != "":
		name = "held"
	case !t.BakeUntil.IsZero():
		name = "free, baking"
	}
	if t.Paused != nil {
		name += ", paused"
	}
	return name
}

func isWishEvent(name string) bool {
	return strings.HasPrefix(name, "desired.") || strings.HasPrefix(name, "target.observed")
}

const targetIntro = `A Target has no end. It is two machines in one: the wish on its way to the deployer and back, and the hold of
at most one release. A wish's generation only grows. A deployer that knows nothing of what it showed before has lost it
and is told again at once; one that never showed it is told again after ten seconds. One that is behind, with the next step
of a rollout or with what somebody else changed, is told again at once, and then ever less often.`

func TestStateTarget(t *testing.T) {
	sp := explore(t, targetMachine())
	for _, s := range sp.states {
		if sp.machine.due(s) == "" {
			t.Errorf("stuck: %s", text(t, s))
		}
		for _, ev := range sp.machine.events {
			checkTargetStep(t, ev, s)
		}
	}
	checkPage(t, "target", "Target", targetIntro,
		tabulate(t, sp, view[delivery.Target]{title: "The wish", state: wishStateName, group: wishGroup, only: isWishEvent}),
		tabulate(t, sp, view[delivery.Target]{
			title: "The hold", state: holdStateName, due: holdDue,
			only: func(n string) bool { return !isWishEvent(n) },
		}))
}

// checkTargetStep holds what every fact keeps: generations grow, by one and with
// the wish only, and at most one release holds the Target.
func checkTargetStep(t *testing.T, ev event[delivery.Target], s delivery.Target) {
	t.Helper()
	e := ev.make(s)
	if e == nil {
		return
	}
	next, err := s.Apply(e)
	if err != nil {
		return
	}
	grew := next.Desired.Generation - s.Desired.Generation
	changed := s.Desired.Generation == 0 && next.Desired.Generation > 0 || !next.Desired.Same(s.Desired)
	if grew != 0 && grew != 1 || (grew == 1) != changed {
		t.Errorf("%s: generation %d to %d, wish changed: %v", ev.name, s.Desired.Generation, next.Desired.Generation, changed)
	}
	if next.Applied < s.Applied {
		t.Errorf("%s: applied %d to %d", ev.name, s.Applied, next.Applied)
	}
	if s.Active != "" && next.Active != s.Active && next.Active != "" {
		t.Errorf("%s: %s took over from %s", ev.name, next.Active, s.Active)
	}
	if next.Active != "" && !next.BakeUntil.IsZero() {
		t.Errorf("%s: the bake goes on while %s changes the Target", ev.name, next.Active)
	}
}

func TestTargetHistoryIsBounded(t *testing.T) {
	tgt := delivery.Target{App: "shop", Env: "prod"}
	for n := range 25 {
		id := delivery.ReleaseID(string(rune('a' + n)))
		tgt, _ = tgt.Apply(delivery.ReleaseTook{Release: id})
		rev := revision(n)
		before := text(t, tgt)
		next, err := tgt.Apply(delivery.ReleaseLeft{Release: id, Deployed: &delivery.Deployed{Revision: rev, Release: id}, Desired: delivery.Desired{Stable: &rev}})
		if err != nil || text(t, tgt) != before {
			t.Fatalf("release %d: %v", n, err)
		}
		tgt = next
	}
	if len(tgt.History) != 20 || tgt.Running().Revision.RunNumber != 24 {
		t.Errorf("%d entries, newest %v", len(tgt.History), tgt.Running())
	}
}
