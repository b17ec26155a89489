package supervisor

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/shiplock/shiplock/internal/deployer/local"
)

// ending is how one process came to its end, unasked.
type ending struct {
	code    *int
	late    bool // stopped by us: not healthy in time
	healthy time.Duration
	reason  string
	not     *local.Unprepared // it was not started
}

// tend judges a running process until it exits or is stopped.
func (s *slot) tend(ctx, live context.Context, p *process) ending {
	v := vitals{every: s.host.cfg.HealthEvery, ready: s.now.ready, once: s.now.ready}
	began := time.Now()
	limit := time.Duration(s.version.Config.HealthTimeoutMS) * time.Millisecond
	late := time.NewTimer(limit)
	defer late.Stop()
	next := time.NewTimer(v.pause())
	defer next.Stop()
	probing, cancel := context.WithCancel(live)
	defer cancel()
	results := make(chan probed, 1)
	busy, suspect := false, false
	ask := func() {
		if busy {
			return
		}
		busy = true
		addr, path, doubt := loopback(s.now.port), s.version.Config.HealthPath, suspect
		suspect = false
		s.wg.Go(func() { results <- probed{probe(probing, s.host.client, addr, path), doubt} })
	}
	for {
		select {
		case <-ctx.Done():
			return ending{}
		case <-live.Done():
			s.drain(ctx, p)
			return ending{}
		case <-p.down:
			s.lost(ctx)
			<-p.exited
			return s.exitOf(p, v, began)
		case <-late.C:
			if v.once {
				continue
			}
			p.terminate(ctx, s.host.cfg.Grace)
			return ending{late: true, reason: fmt.Sprintf("not healthy within %s: %s", limit, plain(v.last))}
		case <-s.suspect:
			suspect = true
			ask()
		case <-next.C:
			ask()
		case r := <-results:
			busy = false
			s.judge(ctx, &v, r)
			next.Reset(v.pause())
		}
	}
}

// probed is the result of one probe.
type probed struct {
	err     error
	suspect bool
}

// judge takes a probe's result and reports when it changed anything.
func (s *slot) judge(ctx context.Context, v *vitals, r probed) {
	was := v.ready
	v.note(r.err, r.suspect)
	switch {
	case v.ready && (!was || s.now.state != local.Healthy):
		s.report(ctx, func(st *status) { st.state, st.ready, st.proven, st.reason = local.Healthy, true, true, "" })
	case was && !v.ready:
		s.report(ctx, func(st *status) { st.state, st.ready, st.reason = local.Unhealthy, false, plain(v.last) })
	}
}

// lost takes an instance out of the routes before its remains are cleared away.
func (s *slot) lost(ctx context.Context) {
	if s.now.ready {
		s.report(ctx, func(st *status) { st.state, st.ready, st.reason = local.Crashed, false, "start.sh exited" })
	}
}

// drain lets the requests in flight end, then stops the process. The Target has
// taken the instance out of the routes before.
func (s *slot) drain(ctx context.Context, p *process) {
	s.report(ctx, func(st *status) { st.state, st.ready, st.reason = local.Draining, false, "" })
	timer := time.NewTimer(s.host.cfg.Drain)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return
	case <-p.down:
	case <-timer.C:
	case <-s.host.router.drained(s.now.backend):
	}
	p.terminate(ctx, s.host.cfg.Grace)
}

// exitOf is the evidence of an exit that nobody asked for.
func (s *slot) exitOf(p *process, v vitals, began time.Time) ending {
	end := ending{code: p.code}
	when := "before it was healthy"
	if v.once {
		end.healthy = time.Since(began)
		when = "after it was healthy"
	}
	switch {
	case p.code == nil:
		end.reason = fmt.Sprintf("start.sh exited %s; its code is unknown, as the supervisor was restarted meanwhile", when)
	case *p.code < 0:
		end.reason = fmt.Sprintf("start.sh was killed by signal %d (%s) %s", -*p.code, syscall.Signal(-*p.code), when)
	case *p.code == 0:
		end.reason = fmt.Sprintf("start.sh exited with code 0 %s: it must keep the app in the foreground", when)
	default:
		end.reason = fmt.Sprintf("start.sh exited with code %d %s", *p.code, when)
	}
	return end
}

func plain(err error) string {
	if err == nil {
		return "no answer"
	}
	return oneLine(err.Error())
}

// oneLine makes any error fit for a status line.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return text[:min(len(text), 500)]
}
