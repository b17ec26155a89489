package supervisor

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/deployer/local"
)

// status is what a slot reports of itself.
type status struct {
	state    local.State
	ready    bool
	gaveUp   bool
	proven   bool // was healthy once, so it is never given up
	gone     bool // the last report: nothing of the slot is left
	exit     *int
	restarts int
	since    int64 // UTC ms
	reason   string
	not      *local.Unprepared // why it is not started
	process  identity
	port     int
	backend  *backend
}

// slot is one replica of one version: it starts the process, judges it, starts
// it again after a crash, and in the end drains and stops it. Its goroutine only
// reports; what to route and to retire is decided by the Target.
type slot struct {
	id       string
	version  local.Version
	spec     string
	revision *revision
	host     *host
	retire   context.CancelFunc
	suspect  chan struct{}
	// preparation is the command before its first start; nil when there is none, or it has
	// succeeded. It is the slot's goroutine's once that runs.
	preparation *local.Preparation
	restored    *savedSlot // set: look for the process of an earlier supervisor first

	release  string // whose command it waits for, or has waited for; owned by the Target's loop
	retiring bool   // likewise
	last     status // likewise
	now      status // owned by the slot's goroutine
	wg       sync.WaitGroup
}

// host is what the slots of one Target share.
type host struct {
	cfg    Config
	key    string
	dir    string
	owner  string // local.DirID of the supervisor
	images *images
	ports  *ports
	router *router
	client *http.Client
	events chan event
	// preparing has room for one command before a release.
	preparing chan struct{}
}

// event is a report of one slot.
type event struct {
	slot   *slot
	status status
}

func newSlot(h *host, r *revision, n need) *slot {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return &slot{
		id: hex.EncodeToString(id[:]), version: n.version, spec: n.spec, revision: r, host: h,
		suspect: make(chan struct{}, 1), last: status{state: local.Unpacking},
	}
}

// restoreSlot makes the slot of an earlier supervisor. Where its process runs on,
// requests go to it at once: it was healthy a moment ago, and a probe is under way.
func restoreSlot(h *host, r *revision, from savedSlot) *slot {
	s := &slot{
		id: from.ID, version: from.Version, spec: from.Spec, revision: r, host: h,
		suspect: make(chan struct{}, 1), restored: &from,
		last: status{state: local.Unpacking, proven: from.Proven, restarts: from.Restarts},
	}
	if !from.Process.alive(s.marker()) {
		return s
	}
	s.last.state, s.last.ready = local.Starting, from.Ready
	if from.Ready {
		s.last.state = local.Healthy
	}
	s.last.process, s.last.port = from.Process, from.Port
	s.last.backend = &backend{revision: r, addr: loopback(from.Port), suspect: s.suspect}
	return s
}

func (s *slot) save() savedSlot {
	st := s.last
	return savedSlot{
		ID: s.id, Version: s.version, Spec: s.spec, Proven: st.proven, Ready: st.ready,
		Restarts: st.restarts, Port: st.port, Process: st.process,
	}
}

func (s *slot) view() slotView {
	return slotView{version: s.version.ID, spec: s.spec, ready: s.last.ready, retiring: s.retiring}
}

func (s *slot) marker() string { return s.host.owner + "." + s.id }

// run lives until live ends, which stops the process, or ctx does, which leaves
// it running for the next supervisor.
func (s *slot) run(ctx, live context.Context) {
	defer s.wg.Wait()
	s.now = s.last
	for crashes := 1; ; crashes++ {
		end := s.attempt(ctx, live)
		if ctx.Err() != nil {
			return
		}
		if live.Err() != nil {
			break
		}
		if end.healthy > lastPause {
			crashes = 1
		}
		s.crashed(ctx, end, crashes)
		if !s.pause(live, crashes) {
			break
		}
		s.now.restarts++
	}
	s.report(ctx, func(st *status) { st.state, st.ready, st.gone = local.Stopped, false, true })
}

// crashed reports the end of an attempt with its evidence.
func (s *slot) crashed(ctx context.Context, end ending, crashes int) {
	s.report(ctx, func(st *status) {
		st.state, st.ready, st.exit, st.reason = local.Crashed, false, end.code, end.reason
		st.gaveUp = !st.proven && (end.late || end.not != nil || crashes >= startAttempts)
		st.not = end.not
		if end.late {
			st.state = local.Unhealthy
		}
		st.process = identity{}
	})
}

// pause waits before the next start; false: the slot is retired meanwhile, or
// has given up and now was.
func (s *slot) pause(live context.Context, crashes int) bool {
	var due <-chan time.Time
	if !s.now.gaveUp {
		timer := time.NewTimer(restartPause(crashes))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-live.Done():
		return false
	case <-due:
		return true
	}
}

// attempt runs one process from start to end.
func (s *slot) attempt(ctx, live context.Context) ending {
	p, err := s.obtain(ctx, live)
	if err != nil {
		end := ending{reason: oneLine(err.Error())}
		if not, ok := errors.AsType[*unprepared](err); ok {
			end.not = &not.Unprepared
		}
		return end
	}
	defer s.host.ports.release(s.now.port)
	s.wg.Go(func() { p.watch(ctx, s.revision.log) })
	return s.tend(ctx, live, p)
}

// obtain adopts the process that is there or starts one.
func (s *slot) obtain(ctx, live context.Context) (*process, error) {
	if r := s.restored; r != nil {
		s.restored = nil
		p, err := adopt(r.Process, launch{marker: s.marker(), fifo: s.fifo()})
		if err == nil {
			s.host.ports.reserve(r.Port)
			s.report(ctx, func(st *status) { s.begin(st, p, r.Port) })
			return p, nil
		}
		killAll(func(m string) bool { return m == s.marker() })
		if r.Process.PID != 0 {
			s.now.restarts++
		}
	}
	return s.start(ctx, live)
}

func (s *slot) start(ctx, live context.Context) (*process, error) {
	if live.Err() != nil {
		return nil, live.Err()
	}
	s.report(ctx, func(st *status) { st.state, st.ready = local.Unpacking, false })
	dir, err := s.host.images.ensure(live, s.version.Image)
	if err != nil {
		return nil, err
	}
	if err := s.prepare(live, dir); err != nil {
		return nil, err
	}
	port, err := s.host.ports.choose()
	if err != nil {
		return nil, err
	}
	p, err := start(launch{dir: dir, arg: s.version.Config.StartArg, env: s.env(dir, port), marker: s.marker(), fifo: s.fifo()})
	if err != nil {
		s.host.ports.release(port)
		return nil, err
	}
	s.report(ctx, func(st *status) {
		st.state, st.ready, st.not = local.Starting, false, nil
		s.begin(st, p, port)
	})
	return p, nil
}

func (s *slot) begin(st *status, p *process, port int) {
	st.process, st.port = p.identity, port
	if st.backend == nil || st.backend.addr != loopback(port) {
		st.backend = &backend{revision: s.revision, addr: loopback(port), suspect: s.suspect}
	}
}

func (s *slot) fifo() string { return filepath.Join(s.host.dir, "run", s.id) }

// env is all that the app sees of its surroundings, and a command before it, which has no
// port: nothing of the supervisor's
// environment but the search path and the zone.
func (s *slot) env(dir string, port int) []string {
	app, env := local.SplitKey(s.host.key)
	vars := map[string]string{
		"PATH": envOr("PATH", "/usr/local/bin:/usr/bin:/bin"), "HOME": dir, "LANG": envOr("LANG", "C.UTF-8"),
		"SHIPLOCK_APP": app, "SHIPLOCK_ENV": env, "SHIPLOCK_REVISION": s.version.ID,
	}
	if tz := os.Getenv("TZ"); tz != "" {
		vars["TZ"] = tz
	}
	for name, value := range s.version.Config.Env {
		vars[name] = value
	}
	if port != 0 {
		vars[s.version.Config.PortEnv] = loopback(port)[len("127.0.0.1:"):]
	}
	delete(vars, markerEnv)
	list := make([]string, 0, len(vars))
	for name, value := range vars {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

func envOr(name, other string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return other
}

// report changes the slot's status and tells the Target.
func (s *slot) report(ctx context.Context, change func(*status)) {
	before := s.now.state
	change(&s.now)
	if s.now.state != before || s.now.since == 0 {
		s.now.since = s.host.cfg.Now().UnixMilli()
	}
	select {
	case s.host.events <- event{s, s.now}:
	case <-ctx.Done():
	}
}
