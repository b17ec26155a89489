package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/engine/enginetest"
	"github.com/shiplock/shiplock/internal/seal"
	"github.com/shiplock/shiplock/internal/store"
)

// world is one or more servers over a database file, and what is around them. It
// lives in a bubble of testing/synctest: its time passes only when everybody waits.
type world struct {
	*server // the one that was booted last
	t       *testing.T
	path    string
	ids     atomic.Int64

	executor enginetest.Executor
	deployer enginetest.Deployer
	forge    enginetest.Forge
	past     enginetest.History
	images   enginetest.Images
	logs     enginetest.Logs
	caches   enginetest.Caches
	chat     enginetest.Chat

	config func(*engine.Config)
	// ahead is how far the servers' clocks are before the bubble's, which begins in 2000.
	ahead time.Duration
}

func (w *world) now() time.Time { return time.Now().Add(w.ahead) }

// playAt tells a story that begins at a time.
func playAt(t *testing.T, at string, story func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		begin, err := time.Parse(time.RFC3339, at)
		w.must(err)
		w.ahead = begin.Sub(time.Now())
		w.boot()
		story(t, w)
	})
}

// server is one replica: a store and the engine over it.
type server struct {
	*engine.Engine
	store *store.Store
	end   context.CancelFunc
	ended chan struct{}
	err   error // of Run, once ended is closed
}

const lease = 10 * time.Second

// play tells a story in a bubble, which ends only when all that it started has: a
// goroutine that is left behind fails the test. It must use the bubble's own t.
func play(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	playWith(t, nil, story)
}

func playWith(t *testing.T, config func(*engine.Config), story func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config = config
		w.boot()
		story(t, w)
	})
}

func newWorld(t *testing.T) *world {
	return &world{t: t, path: filepath.Join(t.TempDir(), "db"), images: enginetest.Images{Any: true}}
}

// boot starts one more server, and lets it come to rest.
func (w *world) boot() *server {
	w.t.Helper()
	s := w.open(w.path)
	w.server = s
	w.start(s)
	synctest.Wait()
	return s
}

// open makes a server that does not work yet.
func (w *world) open(path string) *server {
	w.t.Helper()
	st, err := store.Open(w.t.Context(), store.Config{Path: path, Lease: lease, Now: w.now, NewID: w.newID})
	w.must(err)
	w.t.Cleanup(func() { w.must(st.Close()) })
	keys, err := seal.OpenFile(filepath.Join(filepath.Dir(path), "master.key"))
	w.must(err)
	key, err := keys.Newest(w.t.Context())
	w.must(err)
	_, err = st.SetMasterKeyOnce(w.t.Context(), key)
	w.must(err)
	cfg := engine.Config{
		Vault: seal.NewVault(st, keys),
		Store: st, Executor: &w.executor, Deployer: &w.deployer, Forge: &w.forge, History: &w.past, Images: &w.images, Logs: &w.logs, Caches: &w.caches, Chat: &w.chat,
		Credentials: weak{},
		PublicURL:   "http://shiplock", RunnerURL: "http://shiplock", Registry: "localhost:5000", Capacity: 4, LeaseEvery: lease / 4,
		Limits: delivery.DefaultRunLimits(), Heartbeat: 10 * time.Second, Secret: []byte("secret"),
		Now: w.now, NewID: w.newID, Log: slog.New(slog.DiscardHandler),
	}
	if w.config != nil {
		w.config(&cfg)
	}
	return &server{Engine: engine.New(cfg), store: st}
}

func (w *world) start(s *server) {
	ctx, cancel := context.WithCancel(w.t.Context())
	s.end, s.ended = cancel, make(chan struct{})
	go func() {
		defer close(s.ended)
		s.err = s.Run(ctx)
	}()
	w.t.Cleanup(s.kill)
}

// kill ends a server like a crash does: what it holds in the database stays held.
func (s *server) kill() {
	s.end()
	<-s.ended
}

// stop ends a server in order.
func (w *world) stop(s *server) {
	w.t.Helper()
	s.kill()
	w.must(s.err)
	w.must(s.store.Close())
}

func (w *world) newID() string { return fmt.Sprintf("01980000-0000-7000-8000-%012d", w.ids.Add(1)) }

// pass lets time go by, and then everything come to rest.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// refused wants an error of a kind that says something.
func (w *world) refused(err error, kind delivery.Kind, says string) {
	w.t.Helper()
	if err == nil || delivery.KindOf(err) != kind || !strings.Contains(err.Error(), says) {
		w.t.Errorf("got %v error %v, want %v: …%s…", delivery.KindOf(err), err, kind, says)
	}
}

func (w *world) gone(err error) {
	w.t.Helper()
	if !engine.IsGone(err) {
		w.t.Errorf("got %v, want that the attempt is gone", err)
	}
}

// admin may do everything.
func admin() engine.Principal {
	return engine.Principal{Actor: delivery.Actor{Kind: delivery.ActorUser, Name: "ann"}, Grants: delivery.Grants{Admin: true}}
}

// The catalog.

func document(kind, name, spec string) delivery.Document {
	return delivery.Document{Kind: kind, Name: name, Spec: json.RawMessage(spec)}
}

func app(name, more string) delivery.Document {
	return document("App", name, fmt.Sprintf(`{"repo":"http://git/team/%s","stack":"go-1.26","team":"web"%s}`, name, more))
}

func (w *world) apply(docs ...delivery.Document) {
	w.t.Helper()
	_, err := w.Apply(w.t.Context(), admin(), engine.ApplyCatalog{Manager: "test", Documents: docs})
	w.must(err)
}

// Hooks and runs.

func push(id, repo, branch, digit string, paths ...string) delivery.Hook {
	return delivery.Hook{ID: id, Forge: "gitlab", Push: delivery.Push{
		Repo:   delivery.Repo{ProjectID: "7", Path: "team/" + repo, CloneURL: "http://git/team/" + repo + ".git"},
		Branch: branch, After: strings.Repeat(digit, 40), Pusher: "bob", Paths: paths, PathsComplete: len(paths) > 0,
	}}
}

// receive takes hooks in, in order, and lets them be worked on.
func (w *world) receive(hooks ...delivery.Hook) {
	w.t.Helper()
	for _, h := range hooks {
		w.must(w.ReceiveHook(w.t.Context(), h))
	}
	synctest.Wait()
}

func (w *world) hook(id string) delivery.Hook {
	w.t.Helper()
	h, err := w.store.Hook(w.t.Context(), id)
	w.must(err)
	return h
}

// startRun makes a run and lets it be admitted.
func (w *world) startRun(app, env string) delivery.RunID {
	w.t.Helper()
	run, err := w.StartRun(w.t.Context(), admin(), engine.StartRun{App: app, Env: env, SHA: strings.Repeat("ab", 20)})
	w.must(err)
	synctest.Wait()
	return run.ID
}

func (w *world) run(id delivery.RunID) delivery.Run {
	w.t.Helper()
	r, err := w.store.Run(w.t.Context(), id)
	w.must(err)
	return r
}

// runs lists all runs, the oldest first.
func (w *world) runs() []delivery.Run {
	w.t.Helper()
	runs, err := w.store.Runs(w.t.Context(), store.RunFilter{Limit: 1000})
	w.must(err)
	slices.Reverse(runs)
	return runs
}

func (w *world) wantRun(id delivery.RunID, want delivery.RunState) delivery.Run {
	w.t.Helper()
	r := w.run(id)
	if r.State() != want {
		w.t.Fatalf("%s is %s, want %s (%v)", r.Name(), r.State(), want, r.Cause())
	}
	return r
}

// history lists the names of the facts about an aggregate.
func (w *world) history(ref delivery.Ref) []string {
	w.t.Helper()
	entries, err := w.store.History(w.t.Context(), ref, 0, 1000)
	w.must(err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names
}

func count(list []string, item string) int {
	n := 0
	for _, i := range list {
		if i == item {
			n++
		}
	}
	return n
}

// runner is whoever holds an attempt's token.
type runner struct {
	w          *world
	key, token string
	seq        int64
}

// alive returns the claim of the only attempt that is alive.
func (w *world) alive() api.Claim {
	w.t.Helper()
	alive := w.executor.Alive()
	if len(alive) != 1 {
		w.t.Fatalf("%d attempts are alive, want one", len(alive))
	}
	return claimFor(alive[0])
}

func claimFor(a delivery.AttemptSpec) api.Claim {
	return api.Claim{Protocols: []int{api.RunnerProtocol}, Attempt: a.Key, Code: a.ClaimCode, Token: strings.Repeat("t", 40)}
}

// claim takes the only attempt that is alive, as its runner.
func (w *world) claim() *runner {
	w.t.Helper()
	return w.take(w.alive())
}

func (w *world) claimOf(a delivery.AttemptSpec) *runner {
	w.t.Helper()
	return w.take(claimFor(a))
}

func (w *world) take(c api.Claim) *runner {
	w.t.Helper()
	_, err := w.Claim(w.t.Context(), c)
	w.must(err)
	synctest.Wait()
	return &runner{w: w, key: c.Attempt, token: c.Token}
}

// send sends reports as they are.
func (r *runner) send(reports ...api.Report) (api.ReportsAck, error) {
	ack, err := r.w.Report(r.w.t.Context(), r.key, r.token, api.Reports{Reports: reports})
	synctest.Wait()
	return ack, err
}

// step reports that a step began.
func (r *runner) step(name string) {
	r.w.t.Helper()
	r.seq++
	_, err := r.send(api.Report{Seq: r.seq, Step: &delivery.Step{Name: name, State: delivery.StepRunning}})
	r.w.must(err)
}

// finish sends the last report; the process then ends.
func (r *runner) finish(f api.Finish) error {
	r.w.t.Helper()
	r.seq++
	_, err := r.send(api.Report{Seq: r.seq, Finish: &f})
	if err == nil {
		r.w.executor.Die(r.key, nil)
	}
	return err
}

func (r *runner) succeed(digest delivery.Digest) {
	r.w.t.Helper()
	r.w.must(r.finish(good(digest)))
}

func good(digest delivery.Digest) api.Finish {
	return api.Finish{Outcome: api.OutcomeSucceeded, Artifact: &delivery.Artifact{Digest: digest}}
}

func digest(digit string) delivery.Digest {
	return delivery.Digest("sha256:" + strings.Repeat(digit, 64))
}

// build takes a run to its artifact.
func (w *world) build(app, env, digit string) delivery.Run {
	w.t.Helper()
	id := w.startRun(app, env)
	w.claim().succeed(digest(digit))
	return w.wantRun(id, delivery.RunSucceeded)
}

var errAway = delivery.Wrap(delivery.Unavailable, "it does not answer", errors.New("connection refused"))
