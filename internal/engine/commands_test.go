package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/engine/enginetest"
)

// order is one command as anybody may give it.
type order struct {
	cmd     delivery.Command
	subject string
	give    func(ctx context.Context, p engine.Principal) error
}

// orders lists every command that changes something, in an order in which each one
// has something to change, in the world of inProd.
func (w *world) orders() []order {
	var run, queued delivery.Run
	var first, second delivery.Release
	token := "none"
	onRelease := func(cmd delivery.Command, rel *delivery.Release) order {
		return order{cmd, "", func(ctx context.Context, p engine.Principal) error {
			_, err := w.CommandRelease(ctx, p, rel.ID, cmd, "why")
			return err
		}}
	}
	create := func(into *delivery.Release) order {
		return order{delivery.CmdReleaseCreate, "shop/prod", func(ctx context.Context, p engine.Principal) (err error) {
			r, err := w.CreateRelease(ctx, p, engine.CreateRelease{App: "shop", Env: "prod", From: "dev"})
			if err == nil {
				*into = r
			}
			return err
		}}
	}
	// What the commands that are refused name: they need something that exists.
	w.apply(channel("room", `,"events":["approval"]`))
	w.build("shop", "pre", "c")
	first.ID = w.create(engine.CreateRelease{Env: "pre"})
	second.ID = first.ID
	run.ID = w.runs()[0].ID
	queued.ID = run.ID
	return append([]order{
		{delivery.CmdApply, "App/blog", func(ctx context.Context, p engine.Principal) error {
			_, err := w.Apply(ctx, p, engine.ApplyCatalog{Manager: "test", Documents: []delivery.Document{app("blog", "")}})
			return err
		}},
		{delivery.CmdAccessEdit, "RoleBinding/lookers", func(ctx context.Context, p engine.Principal) error {
			_, err := w.Apply(ctx, p, engine.ApplyCatalog{Manager: "access", Documents: []delivery.Document{
				document("RoleBinding", "lookers", `{"role":"viewer","subjects":["group:all"],"scope":{"everything":true}}`),
			}})
			return err
		}},
		{delivery.CmdRunStart, "blog/dev", func(ctx context.Context, p engine.Principal) error {
			r, err := w.StartRun(ctx, p, engine.StartRun{App: "blog", Env: "dev"})
			if err == nil {
				queued = r
			}
			return err
		}},
		{delivery.CmdRunCancel, "", func(ctx context.Context, p engine.Principal) error {
			return w.CancelRun(ctx, p, queued.ID, "why")
		}},
		create(&first),
		create(&second),
		onRelease(delivery.CmdReleaseCancel, &second),
		onRelease(delivery.CmdReleasePause, &first),
		onRelease(delivery.CmdReleaseResume, &first),
		onRelease(delivery.CmdReleaseContinue, &first),
		{delivery.CmdReleaseRollback, "shop/prod", func(ctx context.Context, p engine.Principal) error {
			_, err := w.RollBack(ctx, p, "shop", "prod", "", "why")
			return err
		}},
		create(&first),
		onRelease(delivery.CmdReleaseAbort, &first),
		create(&first),
		onRelease(delivery.CmdReleaseFull, &first),
		{delivery.CmdTargetPause, "shop/prod", func(ctx context.Context, p engine.Principal) error {
			return w.PauseTarget(ctx, p, "shop", "prod", "why")
		}},
		{delivery.CmdTargetResume, "shop/prod", func(ctx context.Context, p engine.Principal) error {
			return w.ResumeTarget(ctx, p, "shop", "prod")
		}},
		{delivery.CmdTargetRestart, "shop/prod", func(ctx context.Context, p engine.Principal) error {
			_, err := w.Restart(ctx, p, "shop", "prod", "why")
			return err
		}},
		{delivery.CmdTargetScale, "shop/prod", func(ctx context.Context, p engine.Principal) error {
			_, err := w.Scale(ctx, p, "shop", "prod", 3, "why")
			return err
		}},
		{delivery.CmdCacheDrop, "caches maven", func(ctx context.Context, p engine.Principal) error {
			w.caches.Put(api.CacheSnapshot{ID: "1", Name: "maven"})
			_, err := w.DropCaches(ctx, p, api.DropCaches{Name: "maven", Reason: "why"})
			return err
		}},
		{delivery.CmdSecretSet, "robot", func(ctx context.Context, p engine.Principal) error {
			_, err := w.SetSecret(ctx, p, "robot", []byte("value"))
			return err
		}},
		{delivery.CmdSecretRotate, "secrets", func(ctx context.Context, p engine.Principal) error {
			_, _, err := w.RotateMasterKey(ctx, p)
			return err
		}},
		{delivery.CmdSecretSet, "robot", func(ctx context.Context, p engine.Principal) error { return w.DeleteSecret(ctx, p, "robot") }},
		{delivery.CmdUserEdit, "user bob", func(ctx context.Context, p engine.Principal) error {
			_, _, err := w.AddUser(ctx, p, api.AddUser{Name: "bob"})
			return err
		}},
		{delivery.CmdTokenIssue, "user bob", func(ctx context.Context, p engine.Principal) error {
			t, _, err := w.CreateToken(ctx, p, api.CreateToken{For: "bob"})
			if err == nil {
				token = t.ID
			}
			return err
		}},
		{delivery.CmdTokenRevoke, "user bob", func(ctx context.Context, p engine.Principal) error {
			return w.RevokeToken(ctx, p, token)
		}},
		{delivery.CmdChannelTest, "channel room", func(ctx context.Context, p engine.Principal) error {
			_, err := w.TestChannel(ctx, p, "room")
			return err
		}},
	}, w.approvalOrders()...)
}

func (w *world) audit() []delivery.AuditEntry {
	w.t.Helper()
	entries, err := w.store.Audit(w.t.Context(), 0, 1000)
	w.must(err)
	return entries
}

// Every command is authorised and leaves one audit entry with the rule that allowed
// it. The list grows with delivery.Commands.
func TestCommandsAreAudited(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		seen := map[delivery.Command]bool{delivery.CmdRead: true} // changes nothing
		for _, o := range w.orders() {
			before := len(w.audit())
			if err := o.give(t.Context(), admin()); err != nil {
				t.Fatalf("%s: %v", o.cmd, err)
			}
			synctest.Wait()
			after := w.audit()
			if len(after) != before+1 {
				t.Fatalf("%s left %d audit entries", o.cmd, len(after)-before)
			}
			if a := after[0]; a.Command != o.cmd || a.Actor != admin().Actor || !strings.HasPrefix(a.Rule, "administrator") && !strings.HasPrefix(a.Rule, "ApprovalPolicy/") || o.subject != "" && a.Subject != o.subject || a.Subject == "" || a.At.IsZero() {
				t.Errorf("%s left %+v", o.cmd, a)
			}
			seen[o.cmd] = true
		}
		for _, c := range delivery.Commands() {
			if !seen[c] {
				t.Errorf("%s is not in the list", c)
			}
		}
	})
}

// Who may not, changes nothing: what is kept is byte for byte as before.
func TestDeniedCommandsChangeNothing(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		orders := w.orders()
		nobody := engine.Principal{Actor: delivery.Actor{Kind: delivery.ActorUser, Name: "eve"}}
		before := w.everything()
		for _, o := range orders {
			w.refused(o.give(t.Context(), nobody), delivery.Denied, "eve may not "+string(o.cmd))
		}
		_, err := w.Plan(t.Context(), nobody, engine.AskPlan{App: "shop", Env: "dev"})
		w.refused(err, delivery.Denied, "eve may not read")
		_, err = w.Apply(t.Context(), nobody, engine.ApplyCatalog{Manager: "test", Dry: true})
		w.refused(err, delivery.Denied, "eve may not read")
		synctest.Wait()
		if after := w.everything(); after != before {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
	})
}

// everything names what is kept with its version.
func (w *world) everything() string {
	w.t.Helper()
	var b strings.Builder
	for _, r := range w.runs() {
		fmt.Fprintln(&b, r.ID, r.Version)
	}
	targets, err := w.store.Targets(w.t.Context())
	w.must(err)
	for _, t := range targets {
		fmt.Fprintln(&b, t.Key(), t.Version)
	}
	for _, r := range w.releases() {
		fmt.Fprintln(&b, r.ID, r.Version)
	}
	version, err := w.store.CatalogVersion(w.t.Context())
	w.must(err)
	done := slices.DeleteFunc(w.audit(), func(a delivery.AuditEntry) bool { return a.Refused })
	fmt.Fprintln(&b, version, len(done))
	return b.String()
}

// A command that loses a race is carried out on what the winner made of it; after
// too many it gives up.
func TestCommandRetriesLostRaces(t *testing.T) {
	playUnruly(t, func(t *testing.T, w *world, u *unruly) {
		w.apply(app("shop", ""))
		lost := delivery.E(delivery.Conflict, "was changed meanwhile")
		u.failTimes(5, lost, "commit")
		w.must(w.PauseTarget(t.Context(), admin(), "shop", "prod", ""))
		if n := len(w.audit()); n != 2 {
			t.Errorf("%d audit entries, want 2: of apply and of pause", n)
		}
		u.failTimes(1000, lost, "commit")
		w.refused(w.ResumeTarget(t.Context(), admin(), "shop", "prod"), delivery.Conflict, "changed meanwhile")
		u.fail(nil)
		id := w.startRun("shop", "dev")
		r := w.claim()
		u.failTimes(5, lost, "commit")
		r.succeed(digest("a"))
		w.wantRun(id, delivery.RunSucceeded)
	})
}

func TestStartRun(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), document("Environment", "lab", `{"rank":9}`))
		start := func(ask engine.StartRun) (delivery.Run, error) { return w.StartRun(t.Context(), admin(), ask) }
		r, err := start(engine.StartRun{App: "shop", Env: "prod"})
		if err != nil || r.Number != 1 || r.Commit.SHA != enginetest.Head || r.Commit.Branch != "release" || r.By.Name != "ann" {
			t.Errorf("run of the branch's head: %+v %v", r, err)
		}
		_, err = start(engine.StartRun{App: "shop", Env: "lab"})
		w.refused(err, delivery.Invalid, "name a commit with --commit")
		_, err = start(engine.StartRun{App: "nope", Env: "dev"})
		w.refused(err, delivery.NotFound, `no app "nope"`)
		w.forge.Refuse("head", errAway)
		_, err = start(engine.StartRun{App: "shop", Env: "prod"})
		w.refused(err, delivery.Unavailable, "does not answer")
		r, err = start(engine.StartRun{App: "shop", Env: "lab", SHA: strings.Repeat("1", 40)})
		if err != nil || r.Number != 2 || r.Commit.Branch != "" {
			t.Errorf("run of a commit: %+v %v", r, err)
		}
		plan, err := w.Plan(t.Context(), admin(), engine.AskPlan{App: "shop", Env: "lab"})
		if err != nil || plan.Digest != r.Plan.Digest {
			t.Errorf("the plan that is shown is not the one of the run: %v", err)
		}
	})
}

func TestApply(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		ask := engine.ApplyCatalog{Manager: "test", Documents: []delivery.Document{app("shop", "")}, Dry: true}
		ops := func() []catalog.Op {
			diff, err := w.Apply(t.Context(), admin(), ask)
			w.must(err)
			var ops []catalog.Op
			for _, e := range diff.Entries {
				ops = append(ops, e.Op)
			}
			return ops
		}
		for range 2 {
			if got := ops(); !slices.Equal(got, []catalog.Op{catalog.OpCreate}) {
				t.Errorf("dry: %v", got)
			}
		}
		ask.Dry = false
		ops()
		if got := ops(); !slices.Equal(got, []catalog.Op{catalog.OpNone}) {
			t.Errorf("again: %v", got)
		}
		ask.Documents, ask.Prune = nil, true
		if got := ops(); !slices.Equal(got, []catalog.Op{catalog.OpDelete}) {
			t.Errorf("pruned: %v", got)
		}
		_, err := w.StartRun(t.Context(), admin(), engine.StartRun{App: "shop", Env: "dev"})
		w.refused(err, delivery.NotFound, `no app "shop"`)
	})
}
