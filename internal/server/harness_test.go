package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/auth"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/checkup"
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/engine/enginetest"
	"github.com/shiplock/shiplock/internal/forge/github"
	"github.com/shiplock/shiplock/internal/forge/gitlab"
	"github.com/shiplock/shiplock/internal/joblog"
	"github.com/shiplock/shiplock/internal/seal"
	"github.com/shiplock/shiplock/internal/store"
)

const hookSecret = "a secret of the forge's"

// world is a server over a real store, engine and log store, with an executor and
// a deployer that only remember.
type world struct {
	t      testing.TB
	store  *store.Store
	logs   *joblog.Store
	engine *engine.Engine
	server *Server
	keeper *auth.Keeper
	token  string
	url    string
	// later is how far the server's clock is ahead.
	later   atomic.Int64
	proxies []netip.Prefix
	starts  chan delivery.AttemptSpec
	// examiner is what the installation looks like.
	examiner seen
}

// now is the clock of log-ins, which pass moves on.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.later.Load())) }

func (w *world) pass(d time.Duration) { w.later.Add(int64(d)) }

// seen is an installation that looks like this.
type seen checkup.Facts

func (s *seen) Examine(context.Context, *catalog.Set) checkup.Facts { return checkup.Facts(*s) }

func (s *seen) Reach(_ context.Context, c delivery.Cluster) checkup.Place {
	for _, seen := range s.Clusters {
		if seen.Name == c.Name {
			return seen.Place
		}
	}
	return checkup.Place{}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, starts: make(chan delivery.AttemptSpec, 100), proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	var err error
	w.store, err = store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "db"), Now: time.Now, NewID: newID})
	w.must(err)
	t.Cleanup(func() { w.must(w.store.Close()) })
	w.logs, err = joblog.Open(joblog.Config{Root: filepath.Join(dir, "logs"), Writer: "w"})
	w.must(err)
	t.Cleanup(func() { w.must(w.logs.Close()) })
	w.keeper = auth.New(auth.Config{Tokens: w.store, Users: w.store, Now: w.now, NewID: newID, Params: auth.Params{Passes: 1, MemoryKiB: 64, Lanes: 1}})
	keys, err := seal.OpenFile(filepath.Join(dir, "master.key"))
	w.must(err)
	key, err := keys.Newest(t.Context())
	w.must(err)
	_, err = w.store.SetMasterKeyOnce(t.Context(), key)
	w.must(err)
	w.engine = engine.New(engine.Config{
		Credentials: w.keeper,
		Vault:       seal.NewVault(w.store, keys),
		Store:       w.store, Executor: &enginetest.Executor{Started: w.starts}, Deployer: &enginetest.Deployer{},
		Forge: &enginetest.Forge{}, History: &enginetest.History{}, Images: &enginetest.Images{Any: true}, Logs: keptLogs{w.logs},
		PublicURL: "http://shiplock", RunnerURL: "http://shiplock", Capacity: 4, LeaseEvery: time.Second,
		Limits: delivery.DefaultRunLimits(), Heartbeat: time.Second, Secret: []byte("secret"),
		Now: time.Now, NewID: newID, Log: slog.New(slog.DiscardHandler),
	})
	w.token, err = w.keeper.Bootstrap(t.Context())
	w.must(err)
	hooks, err := gitlab.NewHooks([]string{hookSecret}, time.Now)
	w.must(err)
	w.server = New(Config{
		Engine: w.engine, Reader: keptState{w.store}, Logs: keptLogs{w.logs}, Auth: w.keeper, People: w.store, TrustedProxies: w.proxies,
		Builds: oneMachine{}, Places: 2, Examiner: &w.examiner, Apps: nowhere{},
		Hooks:    map[string]HookReader{"gitlab": hooks, "github": github.NewHooks([]string{hookSecret})},
		Registry: http.NotFoundHandler(), PublicURL: "http://shiplock", Version: "test",
		Log: slog.New(slog.DiscardHandler), Now: w.now,
	})
	ts := httptest.NewServer(w.server)
	t.Cleanup(ts.Close)
	w.url = ts.URL
	w.apply()
	return w
}

// apply puts one app into the catalog.
func (w *world) apply() {
	w.ok("POST", "/api/v1/catalog", api.Apply{Manager: "test", Documents: []api.Document{
		{Kind: "App", Name: "shop", Spec: json.RawMessage(`{"repo":"http://git/team/shop","stack":"go-1.26","team":"web"}`)},
	}}, nil)
}

// run makes the engine work until the test ends.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	var owned sync.WaitGroup
	owned.Go(func() {
		if err := w.engine.Run(ctx); err != nil {
			w.t.Errorf("engine: %v", err)
		}
	})
	w.t.Cleanup(func() { cancel(); owned.Wait() })
}

// startRun makes a queued run of shop in dev.
func (w *world) startRun() api.Run {
	w.t.Helper()
	var r api.Run
	w.ok("POST", "/api/v1/runs", api.StartRun{App: "shop", Env: "dev", Commit: strings.Repeat("ab", 20)}, &r)
	return r
}

// claim takes the next attempt that the engine starts, as its runner.
func (w *world) claim() (key, token string) {
	w.t.Helper()
	select {
	case a := <-w.starts:
		token = strings.Repeat("t", 40)
		status := w.call("POST", api.RunnerClaimPath, api.Claim{Protocols: []int{api.RunnerProtocol}, Attempt: a.Key, Code: a.ClaimCode, Token: token}, nil)
		if status != http.StatusOK {
			w.t.Fatalf("claim: %d", status)
		}
		return a.Key, token
	case <-time.After(5 * time.Second):
		w.t.Fatal("no attempt was started")
	}
	return "", ""
}

// ok calls as the administrator and wants a 2xx.
func (w *world) ok(method, path string, body, into any) {
	w.t.Helper()
	res := w.do(method, path, body, w.token)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	w.must(err)
	if res.StatusCode/100 != 2 {
		w.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, data)
	}
	if into != nil {
		w.must(json.Unmarshal(data, into))
	}
}

// call answers the status, and decodes the body whatever it is.
func (w *world) call(method, path string, body, into any) int {
	w.t.Helper()
	res := w.do(method, path, body, w.token)
	defer res.Body.Close()
	if into != nil {
		w.must(json.NewDecoder(res.Body).Decode(into))
	}
	return res.StatusCode
}

func (w *world) do(method, path string, body any, token string) *http.Response {
	w.t.Helper()
	return w.doIn(w.t.Context(), method, path, body, token)
}

func (w *world) doIn(ctx context.Context, method, path string, body any, token string) *http.Response {
	w.t.Helper()
	var data io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		data = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		w.must(err)
		data = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, w.url+path, data)
	w.must(err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if data != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	noRedirect := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := noRedirect.Do(req)
	w.must(err)
	return res
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// The adapters that the composition root makes for production.

type keptState struct{ *store.Store }

func (k keptState) Runs(ctx context.Context, f RunFilter) ([]delivery.Run, error) {
	return k.Store.Runs(ctx, store.RunFilter(f))
}

func (k keptState) Releases(ctx context.Context, f ReleaseFilter) ([]delivery.Release, error) {
	return k.Store.Releases(ctx, store.ReleaseFilter(f))
}

func (k keptState) Counts(ctx context.Context) (Counts, error) {
	c, err := k.Store.Counts(ctx)
	return Counts{HooksReceived: c.HooksReceived, JobsQueued: c.JobsQueued, JobsActive: c.JobsActive, ReleasesProposed: c.ReleasesProposed}, err
}

// oneMachine runs nothing.
type oneMachine struct{}

func (oneMachine) Room(context.Context) (delivery.Room, error) {
	return delivery.Room{Executor: "local"}, nil
}

type keptLogs struct{ *joblog.Store }

func (k keptLogs) Append(ctx context.Context, attempt string, b api.LogBatch) (api.LogAck, error) {
	batch := joblog.Batch{First: b.First, Gap: (*joblog.Gap)(b.Gap)}
	for _, l := range b.Lines {
		batch.Lines = append(batch.Lines, joblog.Entry{At: l.At, Step: l.Step, Stream: l.Stream, Text: l.Text})
	}
	ack, err := k.Store.Append(ctx, attempt, batch)
	return api.LogAck(ack), err
}

func (k keptLogs) Last(ctx context.Context, attempt string) (int64, error) {
	p, err := k.Store.Read(ctx, attempt, joblog.Query{From: -1, Limit: 1})
	return p.Last, err
}

func (k keptLogs) Close(ctx context.Context, attempt, end string) error {
	return k.Store.Finish(ctx, attempt, end)
}

func (k keptLogs) Read(ctx context.Context, attempt string, from int64, limit int, step string) (api.LogPage, error) {
	p, err := k.Store.Read(ctx, attempt, joblog.Query{From: from, Limit: limit, Step: step})
	return api.LogPage{Lines: lines(p.Lines), Next: p.Next, Last: p.Last, Closed: p.Closed}, err
}

func (k keptLogs) Follow(attempt string, from int64) LogTail {
	return tail{k.Store.Follow(attempt, from)}
}

type tail struct{ *joblog.Tail }

func (t tail) Next(ctx context.Context) ([]api.LogLine, error) {
	l, err := t.Tail.Next(ctx)
	return lines(l), err
}

func lines(kept []joblog.Line) []api.LogLine {
	out := make([]api.LogLine, len(kept))
	for i, l := range kept {
		out[i] = api.LogLine(l)
	}
	return out
}
