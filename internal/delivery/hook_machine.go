package delivery

import (
	"fmt"
	"slices"
	"time"
)

// Facts about a Hook.
type (
	// HookWasExpanded says which runs it became.
	HookWasExpanded struct {
		Runs []RunID
		Note string
	}
	// HookWasIgnored says why it became none.
	HookWasIgnored struct{ Note string }
)

func (HookWasExpanded) Name() string { return "hook.expanded" }
func (HookWasIgnored) Name() string  { return "hook.ignored" }

// HookFacts is what a Hook's Next looks at.
type HookFacts struct {
	// EarlierPending says that an earlier push to the same branch still waits, so
	// that runs are made in the order of the pushes.
	EarlierPending bool
}

// Ref returns the hook's reference.
func (h Hook) Ref() Ref { return Ref{KindHook, h.ID} }

// Next says what is due.
func (h Hook) Next(_ time.Time, f HookFacts) []Action {
	if h.State != HookReceived || f.EarlierPending {
		return nil
	}
	switch {
	case h.Push.After != "":
		return []Action{ExpandHook{}}
	case h.Push.Tag != "":
		return []Action{Record{h.Ref(), HookWasIgnored{Note: "tag " + h.Push.Tag + " was deleted"}}}
	}
	return []Action{WithdrawPushes{}}
}

// Apply folds a fact into the hook.
func (h Hook) Apply(e Event) (Hook, error) {
	switch e := e.(type) {
	case HookWasExpanded:
		if h.State == HookExpanded && slices.Equal(h.Runs, e.Runs) {
			return h, nil
		}
		if h.State != HookReceived {
			return h, E(Conflict, "the hook was already "+string(h.State))
		}
		h.State, h.Runs, h.Note = HookExpanded, e.Runs, e.Note
		return h, nil
	case HookWasIgnored:
		if h.State == HookIgnored {
			return h, nil
		}
		if h.State != HookReceived {
			return h, E(Conflict, "the hook was already "+string(h.State))
		}
		h.State, h.Note = HookIgnored, e.Note
		return h, nil
	}
	return h, E(Internal, fmt.Sprintf("a hook does not know the fact %T", e))
}
