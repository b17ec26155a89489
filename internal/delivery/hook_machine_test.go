package delivery_test

import (
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestStateHook(t *testing.T) {
	fact := func(e delivery.Event) func(delivery.Hook) delivery.Event {
		return func(delivery.Hook) delivery.Event { return e }
	}
	sp := explore(t, machine[delivery.Hook]{
		start: []delivery.Hook{{ID: "hook-1", State: delivery.HookReceived, Push: delivery.Push{After: "c0ffee"}}},
		events: []event[delivery.Hook]{
			{"hook.expanded", fact(delivery.HookWasExpanded{Runs: []delivery.RunID{"run-1"}})},
			{"hook.expanded (other runs)", func(h delivery.Hook) delivery.Event {
				if h.State == delivery.HookReceived {
					return nil
				}
				return delivery.HookWasExpanded{Runs: []delivery.RunID{"run-2"}}
			}},
			{"hook.ignored", fact(delivery.HookWasIgnored{Note: "no app has this repository"})},
			{"hook.ignored (for another reason)", fact(delivery.HookWasIgnored{Note: "no app has this branch"})},
		},
		apply:    delivery.Hook.Apply,
		terminal: func(h delivery.Hook) bool { return h.State != delivery.HookReceived },
		due: func(h delivery.Hook) string {
			return describe(h.Next(t0, delivery.HookFacts{}), false)
		},
	})
	state := func(h delivery.Hook) string { return string(h.State) }
	sp.checkEnds(t, state)
	checkPage(t, "hook", "Hook", "A hook is expanded into runs exactly once, in the order of the pushes to its branch.",
		tabulate(t, sp, view[delivery.Hook]{title: "Hook", state: state}))
}

func TestHookNext(t *testing.T) {
	h := delivery.Hook{ID: "hook-1", State: delivery.HookReceived, Push: delivery.Push{After: "c0ffee"}}
	if got := h.Next(t0, delivery.HookFacts{EarlierPending: true}); got != nil {
		t.Errorf("an earlier push waits, but %v is due", got)
	}
	h.Push.After = ""
	if got := describe(h.Next(t0, delivery.HookFacts{}), false); got != "WithdrawPushes" {
		t.Errorf("a deleted branch leads to %s", got)
	}
	h.Push.Tag = "v1"
	if got := describe(h.Next(t0, delivery.HookFacts{}), false); got != "record hook.ignored" {
		t.Errorf("a deleted tag leads to %s", got)
	}
}
