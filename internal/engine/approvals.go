package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/standard"
)

// approvalFacts is what decides now on whose consent a waiting release needs.
func (e *Engine) approvalFacts(ctx context.Context, r delivery.Release) (delivery.ApprovalFacts, error) {
	if r.State != delivery.ReleaseIsProposed || r.Kind != delivery.ReleaseDeploy {
		return delivery.ApprovalFacts{}, nil
	}
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return delivery.ApprovalFacts{}, err
	}
	app, env := appOf(set, r.App), set.Environments[r.Env]
	f := delivery.ApprovalFacts{Policies: set.ApprovalsOf(app, r.Env), Protected: env.Protected}
	if _, known := set.Apps[r.App]; known && env.Name != "" {
		f.Live = liveOffer(r, app, set.Stacks[app.Stack], env)
	}
	return f, nil
}

// appOf is an App of the catalog; of one that was deleted, all that is known is its name.
func appOf(set *catalog.Set, name string) delivery.App {
	if a, known := set.Apps[name]; known {
		return a
	}
	return delivery.App{Name: name}
}

// liveOffer is what a release would be if it were made of the same artifact now.
func liveOffer(r delivery.Release, app delivery.App, stack delivery.Stack, env delivery.Environment) *delivery.Offer {
	rev := r.Revision
	a := delivery.Artifact{
		Digest: rev.Artifact, App: rev.App, Repository: rev.Repository, Run: rev.Run, RunNumber: rev.RunNumber, Commit: rev.Commit,
		Runtime: &delivery.ArtifactRuntime{Home: rev.Config.Home, Port: rev.Config.Port, Logs: rev.Config.Logs},
	}
	if text := rev.Config.Manifests; text != "" {
		a.Manifests = map[string]string{env.Name: text}
	}
	return &delivery.Offer{Revision: standard.Revision(a, app, stack, env), Strategy: standard.Strategy(app, env), Bake: env.Bake}
}

// voter is somebody as approvals see him.
func (e *Engine) voter(ctx context.Context, p Principal, r delivery.Release) (delivery.Voter, error) {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return delivery.Voter{}, err
	}
	app, on := appOf(set, r.App), set.Place(delivery.On(r.App, r.Env))
	v := delivery.Voter{
		Actor: p.Actor, Groups: p.Grants.Groups, Roles: set.Policy.Roles(p.Actor, p.Grants, on),
		Approver: set.Policy.Decide(p.Actor, p.Grants, delivery.CmdReleaseApprove, on).Allowed,
	}
	if u, ok, err := e.userOf(ctx, p.Actor.Name); err != nil {
		return v, err
	} else if ok {
		v.Known = callings(u.DisplayName, u.Email)
	}
	for _, name := range slices.Sorted(maps.Keys(set.Delegations)) {
		d := set.Delegations[name]
		if !d.Lends(e.now(), app, r.Env, p.Actor, p.Grants.Groups) {
			continue
		}
		l, err := e.lent(ctx, set, d, on)
		if err != nil {
			return v, err
		}
		v.For = append(v.For, l)
	}
	return v, nil
}

// userOf finds a person; known is false for one who has no account here, such as the
// holder of the first token.
func (e *Engine) userOf(ctx context.Context, name string) (u delivery.User, known bool, err error) {
	u, err = e.store.User(ctx, name)
	if gone(err) {
		return u, false, nil
	}
	return u, err == nil, err
}

// callings leaves out what is not known.
func callings(names ...string) []string {
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}

// lent is the place that a delegation gives: that of one person has his own groups and
// roles.
func (e *Engine) lent(ctx context.Context, set *catalog.Set, d delivery.Delegation, on delivery.Object) (delivery.Lent, error) {
	l := delivery.Lent{From: d.From, Delegation: d.Name}
	if d.From.Kind != delivery.SubjectUser {
		return l, nil
	}
	u, _, err := e.userOf(ctx, d.From.Name)
	l.Groups = u.Grants().Groups
	l.Roles = set.Policy.Roles(delivery.Actor{Kind: delivery.ActorUser, Name: d.From.Name}, delivery.Grants{Groups: l.Groups}, on)
	return l, err
}

// Consent is a person's answer to what a release asks for.
type Consent struct {
	// Subject is what the person saw; empty is what the release is now.
	Subject delivery.Digest `json:"subject,omitempty"`
	Note    string          `json:"note,omitempty"`
}

// Approve consents to a release. Doing it twice is doing it once.
func (e *Engine) Approve(ctx context.Context, p Principal, id delivery.ReleaseID, c Consent) (delivery.Release, error) {
	r, err := e.store.Release(ctx, id)
	if err != nil {
		return r, err
	}
	on := delivery.On(r.App, r.Env).Called(string(id))
	if err := e.mayAnswer(ctx, p, delivery.CmdReleaseApprove, on); err != nil {
		return r, err
	}
	if r.ApprovedBy(p.Actor) && cmp.Or(c.Subject, r.Approval.Subject) == r.Approval.Subject {
		return r, nil
	}
	rule, _, err := e.ballot(ctx, p, r)
	if err != nil {
		return r, err
	}
	err = e.carryOut(ctx, p, rule, delivery.CmdReleaseApprove, on, c.Note, func(d *draft) error {
		r, err = e.approve(ctx, d, p, id, c)
		return err
	})
	return r, err
}

// mayAnswer lets those through whom approvals may be asked of: a role says so, or they
// can read what it is about, and then the policies decide. A token that was made for less
// answers nothing.
func (e *Engine) mayAnswer(ctx context.Context, p Principal, cmd delivery.Command, on delivery.Object) error {
	if err := p.Grants.Narrowed(cmd, on); err != nil {
		return err
	}
	answer, err := e.Can(ctx, p, cmd, on)
	if err != nil || answer.Allowed {
		return err
	}
	if read, err := e.Can(ctx, p, delivery.CmdRead, on); err != nil || read.Allowed {
		return err
	}
	return answer.Err()
}

func (e *Engine) approve(ctx context.Context, d *draft, p Principal, id delivery.ReleaseID, c Consent) (delivery.Release, error) {
	l, err := d.release(ctx, id)
	if err != nil {
		return delivery.Release{}, err
	}
	rule, voter, err := e.ballot(ctx, p, l.after)
	if err != nil {
		return l.after, err
	}
	if l.after.Approval == nil { // nobody has looked at it yet
		if err := d.record(ctx, l.after.Ref(), delivery.ApprovalAsked{By: l.after.By, At: d.now}); err != nil {
			return l.after, err
		}
	}
	f, err := e.approvalFacts(ctx, l.after)
	if err == nil {
		err = l.after.Unchanged(f)
	}
	if err != nil {
		return l.after, err
	}
	err = d.record(ctx, l.after.Ref(), delivery.ApprovalGiven{
		Subject: cmp.Or(c.Subject, l.after.Approval.Subject),
		Vote:    delivery.Vote{Voter: voter, At: d.now, Rule: rule, Note: c.Note},
	})
	return l.after, err
}

// ballot decides whether somebody may speak on a release, and by which rules.
func (e *Engine) ballot(ctx context.Context, p Principal, r delivery.Release) (rule string, v delivery.Voter, err error) {
	f, err := e.approvalFacts(ctx, r)
	if err != nil {
		return "", v, err
	}
	if v, err = e.voter(ctx, p, r); err != nil {
		return "", v, err
	}
	rule, err = r.Ballot(f, v)
	return rule, v, err
}

// Reject ends a release that somebody who may approve it does not consent to.
func (e *Engine) Reject(ctx context.Context, p Principal, id delivery.ReleaseID, reason string) (delivery.Release, error) {
	r, err := e.store.Release(ctx, id)
	if err != nil {
		return r, err
	}
	on := delivery.On(r.App, r.Env).Called(string(id))
	if err := e.mayAnswer(ctx, p, delivery.CmdReleaseReject, on); err != nil {
		return r, err
	}
	rule, err := e.rejection(ctx, p, r)
	switch {
	case delivery.KindOf(err) == delivery.Denied:
		return r, err
	case reason == "":
		return r, delivery.E(delivery.Invalid, "say with --reason why it is rejected: whoever asked reads it")
	case r.State == delivery.ReleaseIsRejected:
		return r, nil
	case err != nil:
		return r, err
	}
	err = e.carryOut(ctx, p, rule, delivery.CmdReleaseReject, on, reason, func(d *draft) error {
		l, err := d.release(ctx, id)
		if err != nil {
			return err
		}
		if _, err := e.rejection(ctx, p, l.after); err != nil {
			return err
		}
		err = d.record(ctx, l.after.Ref(), delivery.ReleaseRejected{By: delivery.Cancellation{By: p.Actor, Reason: reason, At: d.now}})
		r = l.after
		return err
	})
	return r, err
}

// rejection is the rule by which somebody may reject a release; of one that does not wait
// any more the machine says why it is too late, to who might have.
func (e *Engine) rejection(ctx context.Context, p Principal, r delivery.Release) (rule string, err error) {
	rule, _, err = e.ballot(ctx, p, r)
	if r.State != delivery.ReleaseIsProposed && delivery.KindOf(err) == delivery.Conflict {
		_, err = r.Apply(delivery.ReleaseRejected{By: delivery.Cancellation{By: p.Actor, At: e.now()}})
	}
	return rule, err
}

// Ask asks for consent again: for what the release would be now when the one before is
// void, and with a new release of the same artifact when it has expired.
func (e *Engine) Ask(ctx context.Context, p Principal, id delivery.ReleaseID) (delivery.Release, error) {
	r, err := e.store.Release(ctx, id)
	if err != nil {
		return r, err
	}
	on := delivery.On(r.App, r.Env).Called(string(id))
	if err := e.Allow(ctx, p, delivery.CmdReleaseCreate, on); err != nil {
		e.refuse(ctx, p, delivery.CmdReleaseCreate, on, err)
		return r, err
	}
	switch {
	case r.State == delivery.ReleaseIsProposed:
		err = e.command(ctx, p, delivery.CmdReleaseCreate, on, "ask again", func(d *draft) error {
			r, err = e.askAgain(ctx, d, p, id)
			return err
		})
		return r, err
	case r.State != delivery.ReleaseIsExpired:
		return r, delivery.E(delivery.Conflict, fmt.Sprintf("the release is %s: make a new one with `shiplock release create %s --env %s`", r.State, r.App, r.Env))
	case r.Emergency != nil:
		return r, delivery.E(delivery.Conflict, "an emergency is good for once: ask anew with `shiplock release create --emergency`")
	}
	return e.CreateRelease(ctx, p, CreateRelease{App: r.App, Env: r.Env, Run: r.Revision.RunNumber, Reason: r.Reason})
}

func (e *Engine) askAgain(ctx context.Context, d *draft, p Principal, id delivery.ReleaseID) (delivery.Release, error) {
	l, err := d.release(ctx, id)
	if err != nil {
		return delivery.Release{}, err
	}
	f, err := e.approvalFacts(ctx, l.after)
	if err != nil {
		return l.after, err
	}
	err = d.record(ctx, l.after.Ref(), delivery.ApprovalAsked{By: p.Actor, At: d.now, Offer: f.Live})
	return l.after, err
}

// Standing tells how far the approval of a waiting release is; ok is false when it needs
// none.
func (e *Engine) Standing(ctx context.Context, r delivery.Release) (s delivery.Standing, ok bool, err error) {
	f, err := e.approvalFacts(ctx, r)
	if err != nil || r.State != delivery.ReleaseIsProposed {
		return s, false, err
	}
	s = r.Standing(f)
	return s, len(s.Groups) > 0, nil
}

// AwaitsMe tells whether a release waits for somebody's consent, that of p.
func (e *Engine) AwaitsMe(ctx context.Context, p Principal, r delivery.Release) (bool, error) {
	if r.State != delivery.ReleaseIsProposed || r.ApprovedBy(p.Actor) {
		return false, nil
	}
	err := e.MayApprove(ctx, p, r)
	switch delivery.KindOf(err) {
	case delivery.Denied, delivery.Conflict:
		return false, nil
	}
	return err == nil, err
}

// MayApprove is nil when p's consent would count. It is Denied with the reason when it
// would not, and Conflict when nobody's is asked.
func (e *Engine) MayApprove(ctx context.Context, p Principal, r delivery.Release) error {
	if err := e.mayAnswer(ctx, p, delivery.CmdReleaseApprove, delivery.On(r.App, r.Env).Called(string(r.ID))); err != nil {
		return err
	}
	_, _, err := e.ballot(ctx, p, r)
	return err
}

// CloseReview ends the review that an emergency left behind.
func (e *Engine) CloseReview(ctx context.Context, p Principal, id delivery.ReleaseID, note string) (delivery.Release, error) {
	r, err := e.store.Release(ctx, id)
	if err != nil {
		return r, err
	}
	err = e.command(ctx, p, delivery.CmdReviewClose, delivery.On(r.App, r.Env).Called(string(id)), note, func(d *draft) error {
		l, err := d.release(ctx, id)
		if err != nil {
			return err
		}
		err = d.record(ctx, l.after.Ref(), delivery.ReviewClosed{By: delivery.Cancellation{By: p.Actor, Reason: note, At: d.now}})
		r = l.after
		return err
	})
	return r, err
}
