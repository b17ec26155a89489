package delivery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"pgregory.net/rapid"
)

// revision makes a revision that only its number tells apart.
func revision(number int) delivery.Revision {
	id := delivery.RevisionID(fmt.Sprintf("rev-%d", number))
	return delivery.Revision{ID: id, App: "shop", Env: "prod", RunNumber: number}
}

const hold = 10 * time.Minute

// threeBatches has a batch of every sort: held for a time, by a person, and last.
func threeBatches() delivery.Strategy {
	return delivery.Strategy{Batches: []delivery.Batch{
		{Percent: 10, Hold: delivery.Hold{For: delivery.Duration(hold)}},
		{Percent: 50, Hold: delivery.Hold{Manual: true}},
	}}
}

func newRelease(id string, kind delivery.ReleaseKind, rev int) delivery.Release {
	return delivery.Release{
		ID: delivery.ReleaseID(id), App: "shop", Env: "prod", Kind: kind, Revision: revision(rev),
		Strategy: threeBatches(), State: delivery.ReleaseIsProposed, By: ann, CreatedAt: t0,
	}
}

const firstEver = "first" // the reason of a release that finds an empty Target

func releaseEvents() []event[delivery.Release] {
	fact := func(e delivery.Event) func(delivery.Release) delivery.Event {
		return func(delivery.Release) delivery.Event { return e }
	}
	batch := func(off int, f func(batch int) delivery.Event) func(delivery.Release) delivery.Event {
		return func(r delivery.Release) delivery.Event { return f(r.Batch + off) }
	}
	ready := func(b int) delivery.Event { return delivery.BatchReady{Batch: b, Effective: 10, At: t0} }
	unready := func(b int) delivery.Event { return delivery.BatchUnready{Batch: b, At: t0} }
	passed := func(b int) delivery.Event { return delivery.BatchPassed{Batch: b, At: t0} }
	goOn := func(b int) delivery.Event { return delivery.ContinueRequested{By: ann, Batch: b, At: t0} }
	ended := func(s delivery.ReleaseState) func(delivery.Release) delivery.Event {
		return fact(delivery.ReleaseEnded{State: s, At: t0})
	}
	byAnn := delivery.Cancellation{By: ann, Reason: "odd numbers", At: t0}
	cause := delivery.Cause{Code: "version.failed", Text: "exit 1"}
	closed := delivery.WindowDecision{At: t0, Closed: true, Rule: "hours"}
	held := func(b int) delivery.Event {
		return delivery.BatchHeld{Batch: b, Cause: delivery.Because("window.held.frozen", delivery.Args{"window": "hours"}), Window: closed, At: t0}
	}
	return []event[delivery.Release]{
		{"approval.asked", fact(delivery.ApprovalAsked{By: ann, At: t0})},
		{"approval.given", func(r delivery.Release) delivery.Event {
			return delivery.ApprovalGiven{Subject: r.Subject(), Vote: delivery.Vote{Voter: delivery.Voter{Actor: bob}, At: t0}}
		}},
		{"approval.given (another subject)", fact(delivery.ApprovalGiven{Subject: "sha256:0", Vote: delivery.Vote{Voter: delivery.Voter{Actor: carol}, At: t0}})},
		{"approval.granted", fact(delivery.ApprovalGranted{At: t0})},
		{"approval.reopened", fact(delivery.ApprovalReopened{At: t0})},
		{"approval.voided", fact(delivery.ApprovalVoided{Cause: cause, At: t0})},
		{"release.rejected", fact(delivery.ReleaseRejected{By: byAnn})},
		{"release.expired", fact(delivery.ReleaseExpired{Cause: cause, At: t0})},
		{"review.closed", fact(delivery.ReviewClosed{By: delivery.Cancellation{By: bob, Reason: "all well", At: t0}})},
		{"release.started", func(r delivery.Release) delivery.Event {
			if r.Reason == firstEver {
				return delivery.ReleaseStarted{At: t0}
			}
			base := revision(1)
			return delivery.ReleaseStarted{Base: &base, At: t0}
		}},
		{"batch.ready", batch(0, ready)},
		{"batch.ready (another batch)", batch(1, ready)},
		{"batch.unready", batch(0, unready)},
		{"batch.unready (another batch)", batch(-1, unready)},
		{"batch.passed", batch(0, passed)},
		{"batch.passed (another batch)", batch(-1, passed)},
		{"batch.held", batch(0, held)},
		{"batch.held (another batch)", batch(-1, held)},
		{"window.decided", fact(delivery.WindowDecided{Window: closed})},
		{"batch.failed", fact(delivery.BatchFailed{Cause: cause, At: t0})},
		{"release.troubled", fact(delivery.ReleaseTroubled{Cause: &cause})},
		{"continue.requested", batch(0, goOn)},
		{"continue.requested (earlier batch)", batch(-1, goOn)},
		{"continue.requested (later batch)", batch(1, goOn)},
		{"full.requested", fact(delivery.FullRequested{By: ann, At: t0})},
		{"pause.requested", fact(delivery.PauseRequested{By: byAnn})},
		{"resume.requested", fact(delivery.ResumeRequested{By: ann, At: t0})},
		{"abort.requested", fact(delivery.AbortRequested{By: byAnn})},
		{"abort.requested (by a window)", fact(delivery.AbortRequested{By: delivery.Cancellation{By: delivery.System(), At: t0}, Cause: &cause, Window: &closed})},
		{"release.canceled", fact(delivery.ReleaseWithdrawn{By: byAnn})},
		{"release.superseded", fact(delivery.ReleaseReplaced{By: "release-9", Cause: cause, At: t0})},
		{"release.ended (deployed)", ended(delivery.ReleaseDeployed)},
		{"release.ended (aborted)", ended(delivery.ReleaseAborted)},
		{"release.ended (failed)", ended(delivery.ReleaseFailed)},
	}
}

func releaseMachine() machine[delivery.Release] {
	first := newRelease("release-first", delivery.ReleaseDeploy, 1)
	first.Reason = firstEver
	urgent := newRelease("release-urgent", delivery.ReleaseDeploy, 2)
	urgent.Emergency = &delivery.Emergency{Incident: "INC-1"}
	return machine[delivery.Release]{
		start: []delivery.Release{
			newRelease("release-canary", delivery.ReleaseDeploy, 2), first,
			newRelease("release-back", delivery.ReleaseRollback, 2),
			newRelease("release-restart", delivery.ReleaseRestart, 1),
			newRelease("release-scale", delivery.ReleaseScale, 1),
			urgent,
		},
		events:   releaseEvents(),
		apply:    delivery.Release.Apply,
		fold:     releaseRound,
		terminal: func(r delivery.Release) bool { return r.State.Terminal() && !r.UnderReview() },
		due:      releaseDue,
	}
}

// releaseRound leaves out how often consent was asked for, and what of it no longer
// matters once the release has begun or ended.
func releaseRound(r delivery.Release) delivery.Release {
	switch {
	case r.State != delivery.ReleaseIsProposed:
		r.Approval = nil
	case r.Approval != nil:
		a := *r.Approval
		a.Round = 1
		r.Approval = &a
	}
	return r
}

// releaseDue renders what Next gives while the Target shows just what the release
// knows of it.
func releaseDue(r delivery.Release) string {
	tgt := targetOf(r)
	actions, again := r.Next(t0, delivery.ReleaseFacts{Target: tgt})
	if text := describe(actions, !again.IsZero()); text != "" || r.State.Terminal() && !r.UnderReview() {
		return text
	}
	return "waits for a person"
}

// targetOf makes the Target that a release in this state sees when the deployer has
// done what was asked and no more.
func targetOf(r delivery.Release) delivery.Target {
	tgt := delivery.Target{App: r.App, Env: r.Env}
	if r.Base != nil {
		tgt.History = []delivery.Deployed{{Revision: *r.Base}}
	}
	if r.State == delivery.ReleaseIsProposed {
		return tgt
	}
	tgt.Active = r.ID
	for range 5 { // fold the wishes
		actions, _ := r.Next(t0, delivery.ReleaseFacts{Target: tgt})
		for _, a := range actions {
			rec, ok := a.(delivery.Record)
			if !ok || rec.On != tgt.Ref() {
				continue
			}
			if _, wish := rec.Event.(delivery.DesiredChanged); wish {
				tgt, _ = tgt.Apply(rec.Event)
			}
		}
	}
	if r.Ending != nil || r.Batch < len(r.Batches) && !r.Batches[r.Batch].ReadyAt.IsZero() {
		tgt.Applied = tgt.Desired.Generation
		tgt.Observed = healthy(tgt.Desired)
	}
	return tgt
}

// healthy is the observation of a wish that came true.
func healthy(d delivery.Desired) delivery.Observed {
	o := delivery.Observed{Generation: d.Generation}
	canary := 0
	if d.Canary != nil {
		canary = d.Share
		o.Versions = append(o.Versions, delivery.ObservedVersion{Revision: d.Canary.ID, Asked: canary, Effective: canary, Ready: 1, Total: 1})
	}
	if d.Stable != nil {
		o.Versions = append(o.Versions, delivery.ObservedVersion{Revision: d.Stable.ID, Asked: 100 - canary, Effective: 100 - canary, Ready: 1, Total: 1})
	}
	return o
}

func releaseStateName(r delivery.Release) string {
	name := plainStateName(r)
	switch {
	case r.Emergency == nil:
	case !r.State.Terminal():
		return "emergency: " + name
	case r.UnderReview():
		return name + ", to be reviewed"
	case r.Emergency.Review != nil:
		return name + ", reviewed"
	}
	return name
}

func plainStateName(r delivery.Release) string {
	switch {
	case r.State == delivery.ReleaseIsProposed:
		name := "proposed in one step"
		if len(r.Steps()) > 1 && r.Reason != firstEver {
			name = "proposed canary"
		}
		name += approvalName(r.Approval)
		if r.Window != nil {
			name += ", its window was closed"
		}
		return name
	case r.State.Terminal():
		return string(r.State)
	case r.Ending != nil:
		return "going back, then " + string(r.Ending.State)
	}
	name := "timed batch"
	switch steps := r.Steps(); {
	case r.Batch == len(steps)-1:
		name = "last batch"
	case steps[r.Batch].Hold.Manual:
		name = "manual batch"
	}
	if r.Batches[r.Batch].ReadyAt.IsZero() {
		name += ", starting"
	} else {
		name += ", healthy"
	}
	if r.Window != nil && r.Window.Closed {
		name += ", held by a window"
	}
	if r.Pause != nil {
		name += ", paused"
	}
	return name
}

func approvalName(a *delivery.Approval) string {
	switch {
	case a == nil:
		return ""
	case a.Void != nil:
		return ", approval void"
	case !a.GrantedAt.IsZero():
		return ", approved"
	case len(a.Votes) > 0:
		return ", approved in part"
	}
	return ", approval asked"
}

func releaseGroup(r delivery.Release) string {
	if r.Ending != nil && !r.State.Terminal() {
		return "going back"
	}
	return string(r.State)
}

const releaseIntro = `A release takes a revision to all traffic in batches, or takes the traffic back. Approvals and windows are not
states: **Blockers** lists why a proposed release may not start. An end is reached when the Target shows it, so **going
back** lasts until the old version has the traffic. A rollback never fails by itself; a person may abort it.`

func TestStateRelease(t *testing.T) {
	sp := explore(t, releaseMachine())
	sp.checkEnds(t, releaseStateName)
	for _, s := range sp.states {
		checkRelease(t, s)
	}
	checkPage(t, "release", "Release", releaseIntro,
		tabulate(t, sp, view[delivery.Release]{title: "Release", state: releaseStateName, group: releaseGroup}))
	t.Run("the same end twice is accepted", func(t *testing.T) { checkReleaseEndsTwice(t, sp) })
	t.Run("Next is pure and accepted", func(t *testing.T) { checkReleaseNext(t, sp) })
}

// checkRelease holds what is true of a release in every state.
func checkRelease(t rapid.TB, r delivery.Release) {
	t.Helper()
	if !r.State.Terminal() && r.State != delivery.ReleaseIsProposed {
		b := r.Batches[r.Batch]
		waits := r.Ending == nil && (r.Pause != nil || !b.ReadyAt.IsZero() && r.Steps()[r.Batch].Hold.Manual)
		if waits != (r.State == delivery.ReleasePaused) {
			t.Errorf("%s: state %s, but waits for a person: %v", releaseStateName(r), r.State, waits)
		}
		if len(r.Batches) != r.Batch+1 || b.Asked != r.Steps()[r.Batch].Percent {
			t.Errorf("%s: batch %d of %+v", releaseStateName(r), r.Batch, r.Batches)
		}
	}
	if r.Ending != nil && r.Pause != nil {
		t.Errorf("%s: going back, and paused", releaseStateName(r))
	}
	if r.State == delivery.ReleaseDeployed {
		last := r.Batches[len(r.Batches)-1]
		if last.Asked != 100 || last.ReadyAt.IsZero() || last.PassedAt.IsZero() {
			t.Errorf("deployed after the batches %+v", r.Batches)
		}
	}
	if r.State.Terminal() == r.FinishedAt.IsZero() {
		t.Errorf("%s finished at %v", r.State, r.FinishedAt)
	}
}

func checkReleaseEndsTwice(t *testing.T, sp space[delivery.Release]) {
	for i, s := range sp.states {
		for k, st := range sp.steps[i] {
			if to := sp.states[st.to]; !s.State.Terminal() && to.State.Terminal() && sp.steps[st.to][k].refused != "" {
				t.Errorf("%s twice is refused", sp.machine.events[k].name)
			}
		}
	}
}

// checkReleaseNext holds Next to be pure and its Records to fit the very
// snapshot that it looked at, whatever the deployer shows and however late it is.
func checkReleaseNext(t *testing.T, sp space[delivery.Release]) {
	for _, r := range sp.states {
		for name, tgt := range sights(targetOf(r)) {
			for _, age := range []time.Duration{0, hold, time.Hour} {
				for said, w := range windowsSaid(t0.Add(age)) {
					at := fmt.Sprintf("%s, %s, %s, +%s", releaseStateName(r), name, said, age)
					checkDecision(t, at, r, delivery.ReleaseFacts{Target: tgt, Windows: w}, t0.Add(age))
				}
			}
		}
	}
}

// sights are the ways in which a deployer may show one Target.
func sights(tgt delivery.Target) map[string]delivery.Target {
	show := func(change func(*delivery.Target)) delivery.Target {
		n := tgt
		n.Applied, n.Observed = n.Desired.Generation, healthy(n.Desired)
		change(&n)
		return n
	}
	return map[string]delivery.Target{
		"unapplied": show(func(n *delivery.Target) { n.Applied, n.Observed = n.Desired.Generation-1, delivery.Observed{} }),
		"unseen":    show(func(n *delivery.Target) { n.Observed = delivery.Observed{} }),
		"healthy":   show(func(*delivery.Target) {}),
		"paused":    show(func(n *delivery.Target) { n.Paused = &delivery.Cancellation{By: ann} }),
		"starting": show(func(n *delivery.Target) {
			for i := range n.Observed.Versions {
				n.Observed.Versions[i].Ready = 0
			}
		}),
		"failed": show(func(n *delivery.Target) {
			for i := range n.Observed.Versions {
				n.Observed.Versions[i].Ready, n.Observed.Versions[i].Failed = 0, true
			}
		}),
	}
}

// windowsSaid is what windows may say at a time.
func windowsSaid(now time.Time) map[string]delivery.WindowStatus {
	closed := func(o delivery.Overrun) delivery.WindowStatus {
		return delivery.WindowStatus{Closed: true, Reason: delivery.WindowDenied, Rule: "freeze", Zone: "UTC", Overrun: o, NextOpen: now.Add(time.Hour)}
	}
	frozen := closed(delivery.OverrunFinishBatch)
	frozen.NextOpen = time.Time{}
	return map[string]delivery.WindowStatus{
		"no windows": {},
		"open":       {Reason: delivery.WindowAllowed, Rule: "hours", Zone: "UTC", NextClose: now.Add(time.Hour), OpenedAt: now.Add(-time.Hour)},
		"just open":  {Reason: delivery.WindowAllowed, Rule: "hours", Zone: "UTC", OpenedAt: now},
		"finish-run": closed(delivery.OverrunFinishRun), "finish-batch": closed(delivery.OverrunFinishBatch), "stop": closed(delivery.OverrunStop),
		"frozen": frozen,
	}
}

// checkWindowHeeded holds a decision to what windows say.
func checkWindowHeeded(t *testing.T, at string, r delivery.Release, w delivery.WindowStatus, actions []delivery.Action) {
	t.Helper()
	did := describe(actions, false)
	begins := strings.Contains(did, "release.started")
	if r.Heeds() && w.Closed && (begins || w.Overrun != delivery.OverrunFinishRun && strings.Contains(did, "batch.passed")) {
		t.Errorf("%s: goes on while closed: %s", at, did)
	}
	if !r.Heeds() && (strings.Contains(did, "batch.held") || strings.Contains(did, "abort.requested") || strings.Contains(did, "window.decided")) {
		t.Errorf("%s: heeds windows: %s", at, did)
	}
	underWay := !r.State.Terminal() && r.State != delivery.ReleaseIsProposed && r.Ending == nil
	if stops := strings.Contains(did, "abort.requested"); stops != (r.Heeds() && underWay && w.Closed && w.Overrun == delivery.OverrunStop) {
		t.Errorf("%s: stopped by a window: %v", at, stops)
	}
}

func checkDecision(t *testing.T, at string, r delivery.Release, facts delivery.ReleaseFacts, now time.Time) {
	t.Helper()
	tgt := facts.Target
	before := text(t, r) + text(t, tgt)
	actions, again := r.Next(now, facts)
	twice, againTwice := r.Next(now, facts)
	if text(t, actions) != text(t, twice) || !again.Equal(againTwice) || text(t, r)+text(t, tgt) != before {
		t.Fatalf("%s: Next is not pure", at)
	}
	if !again.IsZero() && !again.After(now) {
		t.Errorf("%s: looks again in the past: a hot loop", at)
	}
	checkWindowHeeded(t, at, r, facts.Windows, actions)
	ended, left := false, false
	for _, a := range actions {
		rec, ok := a.(delivery.Record)
		if !ok {
			continue
		}
		var err error
		switch e := rec.Event.(type) {
		case delivery.ReleaseLeft:
			left = true
		case delivery.ReleaseEnded:
			ended = true
			if e.State == delivery.ReleaseDeployed && !(tgt.Settled() && tgt.Observed.Of(r.Revision.ID).Healthy()) {
				t.Errorf("%s: deployed what is not shown to be healthy", at)
			}
		}
		if rec.On == tgt.Ref() {
			tgt, err = tgt.Apply(rec.Event)
		} else {
			r, err = r.Apply(rec.Event)
		}
		if err != nil {
			t.Errorf("%s: Next emits %s, and Apply says %v", at, rec.Event.Name(), err)
		}
	}
	if ended != left {
		t.Errorf("%s: the release ends without leaving its Target, or the reverse: %s", at, describe(actions, false))
	}
	if r.Kind == delivery.ReleaseRollback && r.Ending == nil && strings.Contains(describe(actions, false), "failed") {
		t.Errorf("%s: a rollback fails by itself", at)
	}
}
