package delivery

import (
	"fmt"
	"slices"
	"strconv"
)

// News is one event that channels are told of, whoever listens.
type News struct {
	On    Ref
	Event ChatEvent
	// Part tells apart what happens to a subject more than once.
	Part string
	Note Note
}

// NewsOf lists what people are told of when a release goes from before, which is zero
// for a new one, to after.
func (r Release) NewsOf(before Release) []News {
	var events []ChatEvent
	if before.ID == "" && r.Emergency != nil {
		events = append(events, ChatEmergency)
	}
	if before.StartedAt.IsZero() && !r.StartedAt.IsZero() {
		events = append(events, ChatStarted)
	}
	switch {
	case before.Ending == nil && r.Ending != nil: // at once, since going back may take its time
		events = append(events, endings[r.Ending.State])
	case (r.State == ReleaseIsRejected || r.State == ReleaseIsExpired) && before.State != r.State:
		events = append(events, ChatRejected)
	case r.State == ReleaseDeployed && before.State != ReleaseDeployed:
		events = append(events, r.goodEnd())
	}
	news := make([]News, len(events))
	for i, ev := range events {
		news[i] = News{On: r.Ref(), Event: ev, Note: r.note()}
	}
	return news
}

var endings = map[ReleaseState]ChatEvent{ReleaseAborted: ChatAborted, ReleaseFailed: ChatFailed}

func (r Release) goodEnd() ChatEvent {
	if r.Kind == ReleaseRollback {
		return ChatRolledBack
	}
	return ChatFinished
}

// approvalMissing is the code of the blocker that people can lift by approving.
const approvalMissing = "approval.missing"

// ApprovalNews tells that a release waits for an approval, given what blocks it.
func (r Release) ApprovalNews(blockers []Cause) (News, bool) {
	i := slices.IndexFunc(blockers, func(c Cause) bool { return c.Code == approvalMissing })
	if i < 0 {
		return News{}, false
	}
	n := News{On: r.Ref(), Event: ChatApproval, Note: r.note()}
	n.Note.Cause = &blockers[i]
	if a := r.Approval; a != nil && a.Round > 1 { // asked again
		n.Part = strconv.Itoa(a.Round)
	}
	return n, true
}

func (r Release) note() Note {
	n := Note{
		App: r.App, Env: r.Env, Kind: r.Kind, Commit: r.Revision.Commit, By: r.By, Reason: r.Reason,
		Cause: r.Cause, Emergency: r.Emergency, Old: r.Base != nil,
	}
	if r.Revision.RunNumber > 0 {
		n.Version = fmt.Sprintf("#%d", r.Revision.RunNumber)
	}
	if r.Ending != nil && r.Ending.State == ReleaseFailed && r.By.Kind == ActorUser {
		n.Mention = []string{r.By.Name}
	}
	return n
}

// NewsOf lists what people are told of when a run goes from before to after.
func (r Run) NewsOf(before Run) []News {
	now := r.State()
	if now != RunFailed && now != RunErrored || before.ID == "" || before.State() == now {
		return nil
	}
	return []News{{On: r.Ref(), Event: ChatRunFailed, Note: Note{
		App: r.App, Env: r.Env, Version: fmt.Sprintf("#%d", r.Number), Commit: r.Commit, By: r.By, Cause: r.Cause(),
		Mention: r.author(),
	}}}
}

// author is whoever wrote the commit, or else asked for the run.
func (r Run) author() []string {
	names := []string{r.Commit.Email, r.Commit.Author}
	if r.By.Kind == ActorUser {
		names = append(names, r.By.Name)
	}
	return slices.DeleteFunc(names, func(s string) bool { return s == "" })
}
