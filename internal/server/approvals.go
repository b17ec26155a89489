package server

import (
	"context"
	"maps"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

type approveInput struct {
	ReleasePath
	Body api.Approve
}

type noteInput struct {
	ReleasePath
	Body api.Note
}

func (s *Server) approveRelease(ctx context.Context, in *approveInput) (api.Release, error) {
	rel, err := s.cfg.Engine.Approve(ctx, principal(ctx), delivery.ReleaseID(in.Release), engine.Consent{Subject: in.Body.Subject, Note: in.Body.Note})
	return s.answerRelease(ctx, rel, err)
}

func (s *Server) rejectRelease(ctx context.Context, in *releaseReasonInput) (api.Release, error) {
	rel, err := s.cfg.Engine.Reject(ctx, principal(ctx), delivery.ReleaseID(in.Release), in.Body.Reason)
	return s.answerRelease(ctx, rel, err)
}

func (s *Server) askRelease(ctx context.Context, in *ReleasePath) (api.Release, error) {
	rel, err := s.cfg.Engine.Ask(ctx, principal(ctx), delivery.ReleaseID(in.Release))
	return s.answerRelease(ctx, rel, err)
}

func (s *Server) closeReview(ctx context.Context, in *noteInput) (api.Release, error) {
	rel, err := s.cfg.Engine.CloseReview(ctx, principal(ctx), delivery.ReleaseID(in.Release), in.Body.Note)
	return s.answerRelease(ctx, rel, err)
}

func (s *Server) answerRelease(ctx context.Context, rel delivery.Release, err error) (api.Release, error) {
	if err != nil {
		return api.Release{}, err
	}
	return s.showRelease(ctx, rel)
}

// showApproval adds how the approval of a waiting release stands.
func (s *Server) showApproval(ctx context.Context, rel delivery.Release, out *api.Release) error {
	standing, needed, err := s.cfg.Engine.Standing(ctx, rel)
	if err != nil || !needed {
		return err
	}
	if out.Approval == nil {
		out.Approval = &api.Approval{Subject: rel.Subject(), Votes: []api.ApprovalVote{}}
	}
	out.Approval.Groups, out.Approval.Met, out.Approval.Expires = standing.Groups, standing.Met, standing.Expires
	if standing.Met {
		return nil
	}
	return s.showAnswers(ctx, rel, out)
}

// showAnswers adds what the reader may answer to a request for consent, or why nothing.
func (s *Server) showAnswers(ctx context.Context, rel delivery.Release, out *api.Release) error {
	p := principal(ctx)
	err := s.cfg.Engine.MayApprove(ctx, p, rel)
	switch {
	case err == nil && rel.ApprovedBy(p.Actor):
		out.May = append(out.May, delivery.CmdReleaseReject)
	case err == nil:
		out.May = append(out.May, delivery.CmdReleaseApprove, delivery.CmdReleaseReject)
	case delivery.KindOf(err) == delivery.Denied:
		out.Approval.Refusal = err.Error()
	case delivery.KindOf(err) != delivery.Conflict:
		return err
	}
	return nil
}

type approvalsInput struct {
	All bool `query:"all" doc:"those that wait for anybody, not only for you"`
}

// maxAwaited bounds the waiting releases that are looked through.
const maxAwaited = 500

// listApprovals lists the releases that wait for somebody's consent.
func (s *Server) listApprovals(ctx context.Context, in *approvalsInput) (api.Page[api.Release], error) {
	page := api.Page[api.Release]{Items: []api.Release{}}
	v, err := s.sight(ctx)
	if err != nil {
		return page, err
	}
	all, _, err := s.visibleReleases(ctx, v, ReleaseFilter{State: delivery.ReleaseIsProposed, Limit: maxAwaited})
	if err != nil {
		return page, err
	}
	for _, rel := range all {
		awaited, err := s.awaited(ctx, rel, in.All)
		if err != nil {
			return page, err
		}
		if !awaited {
			continue
		}
		shown, err := s.showRelease(ctx, rel)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, shown)
	}
	return page, nil
}

func (s *Server) awaited(ctx context.Context, rel delivery.Release, byAnybody bool) (bool, error) {
	standing, needed, err := s.cfg.Engine.Standing(ctx, rel)
	if err != nil || !needed || standing.Met {
		return false, err
	}
	if byAnybody {
		return true, nil
	}
	return s.cfg.Engine.AwaitsMe(ctx, principal(ctx), rel)
}

// listReviews lists the emergencies that nobody has looked at afterwards.
func (s *Server) listReviews(ctx context.Context, in *PageInput) (api.Page[api.ReleaseSummary], error) {
	v, err := s.sight(ctx)
	if err != nil {
		return api.Page[api.ReleaseSummary]{}, err
	}
	all, next, err := s.visibleReleases(ctx, v, ReleaseFilter{UnderReview: true, Before: delivery.ReleaseID(in.Before), Limit: in.Limit})
	return pageOf(all, next, api.ReleaseSummaryOf), err
}

func (s *Server) listApprovalPolicies(ctx context.Context, _ *nothing) (api.Page[api.ApprovalPolicy], error) {
	page := api.Page[api.ApprovalPolicy]{Items: []api.ApprovalPolicy{}}
	v, err := s.sight(ctx)
	if err != nil {
		return page, err
	}
	for _, name := range slices.Sorted(maps.Keys(v.set.Approvals)) {
		if !v.selects(v.set.Approvals[name].Scope) {
			continue
		}
		page.Items = append(page.Items, api.ApprovalPolicy{ApprovalPolicy: v.set.Approvals[name], Manager: v.set.Manager(catalog.KindApprovalPolicy, name)})
	}
	return page, nil
}

// listDelegations shows those about what the reader may see, and the reader's own.
func (s *Server) listDelegations(ctx context.Context, _ *nothing) (api.Page[api.Delegation], error) {
	page := api.Page[api.Delegation]{Items: []api.Delegation{}}
	v, err := s.sight(ctx)
	if err != nil {
		return page, err
	}
	p := principal(ctx)
	for _, name := range slices.Sorted(maps.Keys(v.set.Delegations)) {
		d := v.set.Delegations[name]
		if !v.selects(d.Scope) && !d.From.Is(p.Actor, p.Grants.Groups) && !d.To.Is(p.Actor, p.Grants.Groups) {
			continue
		}
		page.Items = append(page.Items, api.Delegation{Delegation: d, Manager: v.set.Manager(catalog.KindDelegation, name)})
	}
	return page, nil
}
