package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/shiplock/shiplock/internal/delivery"
)

// epoch is when tests begin.
var epoch = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// clock is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: epoch} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is one open replica, with a clock, that fails the test on any error that
// the test does not ask for.
type bench struct {
	t *testing.T
	Store
	clock *clock
}

func start(t *testing.T, db Database) bench {
	t.Helper()
	c := newClock()
	return bench{t, db(t, Options{Now: c.Now, Lease: 10 * time.Second}), c}
}

// other opens a second replica with the same clock.
func (b bench) other(db Database) bench {
	b.t.Helper()
	return bench{b.t, db(b.t, Options{Now: b.clock.Now, Lease: 10 * time.Second}), b.clock}
}

func (b bench) commit(c delivery.Change) []delivery.Claim {
	b.t.Helper()
	claims, err := b.Commit(b.t.Context(), &c)
	b.must(err)
	return claims
}

// refuse commits a Change that must be a Conflict.
func (b bench) refuse(c delivery.Change) {
	b.t.Helper()
	claims, err := b.Commit(b.t.Context(), &c)
	if len(claims) > 0 {
		b.t.Errorf("a refused change handed out %v", claims)
	}
	b.wantKind(delivery.Conflict, err)
}

func (b bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b bench) wantKind(want delivery.Kind, err error) {
	b.t.Helper()
	if err == nil || delivery.KindOf(err) != want {
		b.t.Fatalf("got error %v (%v), want one of kind %v", err, delivery.KindOf(err), want)
	}
	var e *delivery.Error
	if !errors.As(err, &e) || strings.TrimSpace(e.Msg) == "" {
		b.t.Errorf("error %q has no text for people", err)
	}
}

// wake returns a claim on ref that the replica holds, of a wake made now.
func (b bench) wake(ref delivery.Ref) delivery.Claim {
	b.t.Helper()
	return b.single(b.commit(delivery.Change{Wakes: []delivery.Wake{{Ref: ref}}}), ref)
}

func (b bench) single(claims []delivery.Claim, ref delivery.Ref) delivery.Claim {
	b.t.Helper()
	if len(claims) != 1 || claims[0].Ref != ref {
		b.t.Fatalf("got claims %v, want one of %v", claims, ref)
	}
	return claims[0]
}

func (b bench) none(claims []delivery.Claim) {
	b.t.Helper()
	if len(claims) != 0 {
		b.t.Fatalf("got claims %v, want none", claims)
	}
}

func (b bench) claim(limit int) ([]delivery.Claim, time.Time) {
	b.t.Helper()
	claims, next, err := b.Claim(b.t.Context(), limit)
	b.must(err)
	return claims, next
}

// claimNone wants nothing to be due before next.
func (b bench) claimNone(next time.Time) {
	b.t.Helper()
	claims, at := b.claim(10)
	b.none(claims)
	if !at.Equal(next) {
		b.t.Fatalf("the next wake is due at %v, want %v", at, next)
	}
}

func (b bench) signaled() bool {
	select {
	case <-b.Signal():
		return true
	default:
		return false
	}
}

func ref(id string) delivery.Ref { return delivery.Ref{Kind: delivery.KindRun, ID: id} }

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// NewRun returns a queued run of the size that real ones have.
func NewRun(id, app, env string) *delivery.Run {
	plan := delivery.Plan{Stack: "go-1.26", Repo: "https://git.example/team/" + app, Timeout: delivery.Duration(time.Hour)}
	for i := range 4 {
		plan.Steps = append(plan.Steps, delivery.PlanStep{
			Name: fmt.Sprintf("step-%d", i), Kind: delivery.StepRun, Run: "go test ./... && go build -o start_env/app .",
			Why: "the stack go-1.26 asks for it",
		})
	}
	r := delivery.NewRun(delivery.RunID(id), delivery.App{Name: app, Team: "team"}, delivery.Environment{Name: env, Rank: 1},
		delivery.Commit{SHA: "4f3c1a0d9b8e7f6a5c4b3d2e1f0a9b8c7d6e5f40", Branch: "main", Title: "say hello"},
		delivery.Repo{ProjectID: "7", Path: "team/" + app, CloneURL: plan.Repo}, plan, delivery.System(), epoch)
	return &r
}

// apply folds facts into a run.
func (b bench) apply(r *delivery.Run, events ...delivery.Event) {
	b.t.Helper()
	for _, e := range events {
		next, err := r.Apply(e)
		b.must(err)
		*r = next
	}
}

// succeed returns the facts that take a queued run to success.
func succeed(digest delivery.Digest) []delivery.Event {
	return []delivery.Event{
		delivery.JobAdmitted{Job: "build", At: epoch},
		delivery.AttemptClaimed{Job: "build", Attempt: 1, TokenHash: "h", At: epoch},
		delivery.JobFinished{
			Job: "build", Attempt: 1, Seq: 1, Outcome: delivery.JobSucceeded, At: epoch,
			Artifact: &delivery.Artifact{Digest: digest, Repository: "shop"},
		},
	}
}

func newHook(id, branch string) *delivery.Hook {
	return &delivery.Hook{
		ID: id, Forge: "gitlab", State: delivery.HookReceived, ReceivedAt: epoch,
		Push: delivery.Push{Repo: delivery.Repo{ProjectID: "7", Path: "team/shop"}, Branch: branch, After: "4f3c1a0d"},
	}
}

func newRelease(app, env string) *delivery.Release {
	return &delivery.Release{
		ID: delivery.ReleaseID(newID()), App: app, Env: env, Kind: delivery.ReleaseDeploy,
		State: delivery.ReleaseIsProposed, By: delivery.System(), CreatedAt: epoch,
	}
}
