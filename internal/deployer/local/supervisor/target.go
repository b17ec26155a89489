package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/deployer/local"
)

// target keeps one wish true. Its loop is the only one that decides: it takes
// wishes and the slots' reports, and after each it compares, starts, routes and
// retires.
type target struct {
	host   *host
	front  *front
	hub    *hub
	wishes chan wishRequest
	stops  chan struct{}
	open   chan struct{} // closed when the routes and the port of before are back
	done   chan struct{} // closed when the loop has ended
	view   atomic.Pointer[view]

	// Owned by the loop.
	wish      local.Wish
	slots     []*slot
	revisions []*revision
	stopping  bool
	wg        sync.WaitGroup
}

type wishRequest struct {
	wish  local.Wish
	reply chan error
}

// view is what the loop has published last.
type view struct {
	wish      local.Wish
	port      int
	problem   string
	slots     []slotStatus
	routes    []route
	revisions []*revision
}

type slotStatus struct {
	version, spec string
	retiring      bool
	status
}

func newTarget(cfg Config, key string, p *ports, h *hub, client *http.Client) *target {
	dir := filepath.Join(cfg.Dir, "targets", dirName(key))
	r := &router{}
	return &target{
		host: &host{
			cfg: cfg, key: key, dir: dir, owner: local.DirID(cfg.Dir), ports: p, router: r, client: client,
			images: &images{dir: filepath.Join(dir, "images"), unpack: cfg.Unpack},
			events: make(chan event), preparing: make(chan struct{}, 1),
		},
		front:  newFront(r, p, cfg),
		hub:    h,
		wishes: make(chan wishRequest),
		stops:  make(chan struct{}),
		open:   make(chan struct{}),
		done:   make(chan struct{}),
	}
}

// run keeps the wish until ctx ends, which leaves the processes running, or stop
// is asked for, which ends with the last process.
func (t *target) run(ctx context.Context, from saved) {
	defer close(t.done)
	defer t.closeLogs()
	defer t.front.close()
	defer t.wg.Wait()
	t.restore(ctx, from)
	close(t.open)
	stops := t.stops
	for !t.stopping || len(t.slots) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-stops:
			stops, t.stopping = nil, true
			t.reconcile(ctx)
		case q := <-t.wishes:
			changed, err := t.accept(q.wish)
			if changed {
				t.reconcile(ctx)
			}
			q.reply <- err
		case e := <-t.host.events:
			t.note(e)
			t.reconcile(ctx)
			t.record()
		case <-t.front.retry():
			t.front.listen(from.Port)
			t.reconcile(ctx)
		}
	}
}

func (t *target) restore(ctx context.Context, from saved) {
	t.wish = from.Wish
	for _, s := range from.slots {
		t.slots = append(t.slots, restoreSlot(t.host, t.revision(s.Version.ID), s))
	}
	restored := slices.Clone(t.slots)
	t.discard()      // what the last supervisor was about to remove when it was killed
	t.reconcile(ctx) // routes first: the proxy opens on apps that are there
	for _, s := range restored {
		t.launch(ctx, s)
	}
	if from.Port != 0 {
		t.front.listen(from.Port)
		t.reconcile(ctx)
	}
}

// apply hands a wish to the loop and waits until it is on disk and routed.
func (t *target) apply(ctx context.Context, w local.Wish) error {
	q := wishRequest{w, make(chan error, 1)}
	select {
	case t.wishes <- q:
		return <-q.reply
	case <-t.done:
		return delivery.E(delivery.Unavailable, "the target is being removed: apply again")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop drains and stops everything, and waits for it.
func (t *target) stop(ctx context.Context) error {
	select {
	case t.stops <- struct{}{}:
	case <-t.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-t.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// accept takes a wish in when the fence allows it, and reports whether that
// changed anything. On an error the old one holds.
func (t *target) accept(w local.Wish) (changed bool, err error) {
	held := t.wish.Generation
	switch {
	case t.stopping:
		return false, delivery.E(delivery.Unavailable, "the target is being stopped: apply again")
	case w.Generation < held:
		return false, delivery.E(delivery.Conflict, fmt.Sprintf("%s: generation %d is older than %d, which is applied", w.Key, w.Generation, held))
	case w.Generation == held && t.wish.Same(w):
		return false, nil
	case w.Generation == held:
		return false, delivery.E(delivery.Conflict, fmt.Sprintf("%s: generation %d is applied with other content: use a new generation", w.Key, held))
	}
	if err := t.front.move(w.Listen); err != nil {
		return false, err
	}
	if err := (promise{w, t.front.port}).save(t.host.dir); err != nil {
		return false, delivery.Wrap(delivery.Unavailable, "keep the wish", err)
	}
	t.wish = w
	t.forget()
	return true, nil
}

// forget gives versions that gave up a fresh start under a new wish, and those that wait
// for the command of another release, and drops those that have stopped.
func (t *target) forget() {
	release := ""
	if t.wish.Prepare != nil {
		release = t.wish.Prepare.Release
	}
	for _, s := range t.slots {
		if s.last.gaveUp || s.release != "" && s.release != release && !s.last.proven {
			s.retiring = true
			s.retire()
		}
	}
	t.revisions = slices.DeleteFunc(t.revisions, func(r *revision) bool {
		used := wished(t.wish, r.id) || slices.ContainsFunc(t.slots, func(s *slot) bool { return s.revision == r })
		if !used {
			r.log.close()
		}
		return !used
	})
}

// note takes in one slot's report.
func (t *target) note(e event) {
	e.slot.last = e.status
	if !e.status.gone {
		return
	}
	t.slots = slices.DeleteFunc(t.slots, func(s *slot) bool { return s == e.slot })
	t.discard()
}

// discard removes the images that no wish and no slot needs any more, and the logs
// of versions that are long gone.
func (t *target) discard() {
	var used []string
	for _, v := range t.wish.Versions {
		used = append(used, v.Image)
	}
	for _, s := range t.slots {
		used = append(used, s.version.Image)
	}
	trash, err := t.host.images.discard(used)
	t.wg.Go(func() {
		for _, dir := range trash {
			err = errors.Join(err, os.RemoveAll(dir))
		}
		err = errors.Join(err, discardLogs(filepath.Join(t.host.dir, "log"), logsKept))
		if err != nil {
			t.host.cfg.Log.Warn("something old is not removed", "target", t.host.key, "err", err)
		}
	})
}

// reconcile brings slots and routes in line with the wish, in the order that
// loses no request: start, route, retire.
func (t *target) reconcile(ctx context.Context) {
	goal := t.wish
	if t.stopping {
		goal.Versions = nil
	}
	missing, surplus := decide(goal, t.views())
	for _, n := range missing {
		s := newSlot(t.host, t.revision(n.version.ID), n)
		t.slots = append(t.slots, s)
		t.launch(ctx, s)
	}
	var retired []*slot
	for _, i := range surplus {
		t.slots[i].retiring = true
		retired = append(retired, t.slots[i])
	}
	t.publish(routes(goal, t.views()))
	for _, s := range retired {
		if s.retire != nil {
			s.retire()
		}
	}
}

func (t *target) launch(ctx context.Context, s *slot) {
	live, retire := context.WithCancel(ctx)
	s.retire = retire
	if p := t.wish.Prepare; p != nil && p.Version == s.version.ID && !s.last.proven {
		s.preparation, s.release = p, p.Release
	}
	if s.retiring {
		retire()
	}
	t.wg.Go(func() {
		defer retire()
		s.run(ctx, live)
	})
}

// publish routes new requests and shows the present state to watchers.
func (t *target) publish(to []route) {
	v := &view{wish: t.wish, port: t.front.port, problem: t.front.problem, routes: to, revisions: slices.Clone(t.revisions)}
	for _, s := range t.slots {
		v.slots = append(v.slots, slotStatus{s.version.ID, s.spec, s.retiring, s.last})
	}
	var weights []int
	var pools []pool
	for _, r := range to {
		p := pool{version: r.version}
		for _, i := range r.slots {
			p.backends = append(p.backends, t.slots[i].last.backend)
		}
		weights, pools = append(weights, r.weight), append(pools, p)
	}
	t.host.router.set(weights, pools, v.explain())
	t.view.Store(v)
	if t.wish.Generation > 0 {
		t.hub.touch(t.host.key)
	}
}

// record saves what a next supervisor must find of the processes. Nobody waits
// for it, so the log is where a failure goes.
func (t *target) record() {
	slots := make([]savedSlot, len(t.slots))
	for i, s := range t.slots {
		slots[i] = s.save()
	}
	if err := saveSlots(t.host.dir, slots); err != nil {
		t.host.cfg.Log.Error("instances not saved", "target", t.host.key, "err", err)
	}
}

func (t *target) views() []slotView {
	views := make([]slotView, len(t.slots))
	for i, s := range t.slots {
		views[i] = s.view()
	}
	return views
}

func (t *target) revision(id string) *revision {
	for _, r := range t.revisions {
		if r.id == id {
			return r
		}
	}
	r := &revision{id: id, log: newLogFile(filepath.Join(t.host.dir, "log", id+".log"), logLimit)}
	t.revisions = append(t.revisions, r)
	return r
}

// erase removes the Target's directory; its loop has ended.
func (t *target) erase() error { return os.RemoveAll(t.host.dir) }

func (t *target) closeLogs() {
	for _, r := range t.revisions {
		r.log.close()
	}
}

// settleLimit bounds how long a proxy that is closed or moved waits for requests.
const settleLimit = 2 * time.Second
