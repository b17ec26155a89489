package engine_test

import (
	"context"
	"testing/synctest"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// approvalOrders are those about consent, in test.
func (w *world) approvalOrders() []order {
	w.apply(document("ApprovalPolicy", "test", `{"scope":{"environments":["test"]},"groups":[{"name":"people","subjects":["user:ann"]}],"bar":{"requester":false}}`))
	var waiting, reviewed delivery.Release
	create := func(cmd delivery.Command, em *delivery.Emergency, into *delivery.Release) order {
		return order{cmd, "shop/test", func(ctx context.Context, p engine.Principal) (err error) {
			r, err := w.CreateRelease(ctx, p, engine.CreateRelease{App: "shop", Env: "test", From: "dev", Reason: "why", Emergency: em})
			if err == nil {
				*into = r
			}
			return err
		}}
	}
	em, glass := &delivery.Emergency{Incident: "https://incidents/1"}, &delivery.Emergency{Incident: "https://incidents/1", BreakGlass: true}
	zoe := admin()
	zoe.Actor.Name = "zoe"
	w.must(create(delivery.CmdBreakGlass, glass, &reviewed).give(w.t.Context(), zoe))
	w.must(create(delivery.CmdReleaseCreate, nil, &waiting).give(w.t.Context(), zoe))
	synctest.Wait()
	id := reviewed.ID
	return []order{
		{delivery.CmdReleaseApprove, "", func(ctx context.Context, p engine.Principal) error {
			_, err := w.Approve(ctx, p, waiting.ID, engine.Consent{})
			return err
		}},
		create(delivery.CmdReleaseCreate, nil, &waiting),
		{delivery.CmdReleaseReject, "", func(ctx context.Context, p engine.Principal) error {
			_, err := w.Reject(ctx, p, waiting.ID, "why")
			return err
		}},
		create(delivery.CmdEmergencyRequest, em, &waiting),
		create(delivery.CmdBreakGlass, glass, &reviewed),
		{delivery.CmdReviewClose, "", func(ctx context.Context, p engine.Principal) error {
			_, err := w.CloseReview(ctx, p, id, "all well")
			return err
		}},
	}
}
