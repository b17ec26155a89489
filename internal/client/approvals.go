package client

import (
	"context"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// Approve consents to a release.
func (c *Client) Approve(ctx context.Context, id delivery.ReleaseID, a api.Approve) (api.Release, error) {
	return submit[api.Release](ctx, c, path("releases", string(id), "approve"), a)
}

// Ask asks for consent to a release again.
func (c *Client) Ask(ctx context.Context, id delivery.ReleaseID) (api.Release, error) {
	return submit[api.Release](ctx, c, path("releases", string(id), "ask"), struct{}{})
}

// CloseReview ends the review that an emergency left behind.
func (c *Client) CloseReview(ctx context.Context, id delivery.ReleaseID, note string) (api.Release, error) {
	return submit[api.Release](ctx, c, path("releases", string(id), "review"), api.Note{Note: note})
}

// Approvals lists the releases that wait for the caller's consent; AllApprovals those
// that wait for anybody's.
func (c *Client) Approvals(ctx context.Context, _ Filter) (api.Page[api.Release], error) {
	return fetch[api.Page[api.Release]](ctx, c, path("approvals"))
}

// AllApprovals is like Approvals.
func (c *Client) AllApprovals(ctx context.Context, _ Filter) (api.Page[api.Release], error) {
	return fetch[api.Page[api.Release]](ctx, c, path("approvals")+"?all=true")
}

// Reviews lists the emergencies that somebody has to look at.
func (c *Client) Reviews(ctx context.Context, f Filter) (api.Page[api.ReleaseSummary], error) {
	return fetch[api.Page[api.ReleaseSummary]](ctx, c, path("reviews")+Filter{Before: f.Before, Limit: f.Limit}.query())
}

// ApprovalPolicies lists the documents that say whose consent releases need.
func (c *Client) ApprovalPolicies(ctx context.Context, _ Filter) (api.Page[api.ApprovalPolicy], error) {
	return fetch[api.Page[api.ApprovalPolicy]](ctx, c, path("approvalpolicies"))
}

// Delegations lists the documents that say who approves in whose place.
func (c *Client) Delegations(ctx context.Context, _ Filter) (api.Page[api.Delegation], error) {
	return fetch[api.Page[api.Delegation]](ctx, c, path("delegations"))
}
