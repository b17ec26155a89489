package supervisor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/deployer/local"
)

// tailLines is how much of its log a version shows in an observation.
const tailLines = 20

// telling orders states by what a user must hear first of replicas that differ.
var telling = []local.State{
	local.Stopped, local.Draining, local.Healthy, local.Unpacking, local.Starting, local.Unhealthy, local.Crashed,
}

// observe returns what is true of the Target now; false: no wish was accepted.
func (t *target) observe() (local.Observation, bool) {
	v := t.view.Load()
	if v == nil || v.wish.Generation == 0 {
		return local.Observation{}, false
	}
	o := local.Observation{
		Key: t.host.key, Generation: v.wish.Generation, Port: v.port, URL: "http://" + loopback(v.port),
		Problem: v.problem, Versions: v.versions(), Unserved: t.host.router.refused(),
	}
	for i := range o.Versions {
		s := &o.Versions[i]
		if r := v.revision(s.ID); r != nil {
			s.Requests, s.Failed, s.Retried = r.requests.Load(), r.failed.Load(), r.retried.Load()
			s.LogTail = r.log.tail(tailLines)
		}
	}
	o.Draining = slices.ContainsFunc(v.slots, func(s slotStatus) bool { return s.retiring || !wished(v.wish, s.version) })
	return o, true
}

func (v *view) revision(id string) *revision {
	for _, r := range v.revisions {
		if r.id == id {
			return r
		}
	}
	return nil
}

// versions sums up the slots: the wished versions first, then what is left of others.
func (v *view) versions() []local.VersionStatus {
	var all []local.VersionStatus
	for _, w := range v.wish.Versions {
		spec := specOf(w, v.wish.RestartedAt)
		s := v.sum(w.ID, func(s slotStatus) bool { return s.spec == spec && !s.retiring })
		s.Wished, s.Asked, s.Replicas = true, w.Weight, w.Config.Replicas
		all = append(all, s)
	}
	for _, r := range v.revisions {
		if !wished(v.wish, r.id) {
			all = append(all, v.sum(r.id, func(slotStatus) bool { return true }))
		}
	}
	return all
}

// sum makes one status of the slots of a version that satisfy which.
func (v *view) sum(id string, which func(slotStatus) bool) local.VersionStatus {
	out := local.VersionStatus{ID: id, State: local.Stopped, Effective: v.share(id)}
	var worst status
	for _, s := range v.slots {
		if s.version != id || !which(s) {
			continue
		}
		out.Restarts += s.restarts
		out.GaveUp = out.GaveUp || s.gaveUp
		if s.ready {
			out.Ready++
		}
		if s.process.PID != 0 {
			out.PIDs = append(out.PIDs, s.process.PID)
		}
		if worst.state == "" || slices.Index(telling, s.state) > slices.Index(telling, worst.state) {
			worst = s.status
		}
	}
	if worst.state != "" {
		out.State, out.Since, out.Reason, out.ExitCode, out.Unprepared = worst.state, worst.since, worst.reason, worst.exit, worst.not
	}
	if out.Ready > 0 {
		out.State = local.Healthy
	}
	return out
}

// share returns the percentage of new requests that a version gets.
func (v *view) share(id string) float64 {
	total, mine := 0, 0
	for _, r := range v.routes {
		total += r.weight
		if r.version == id {
			mine = r.weight
		}
	}
	if total == 0 {
		return 0
	}
	return 100 * float64(mine) / float64(total)
}

// explain is the one line that a caller gets when nothing is healthy.
func (v *view) explain() string {
	var parts []string
	for _, s := range v.versions() {
		part := fmt.Sprintf("%s is %s", s.ID, s.State)
		if s.Reason != "" {
			part += " (" + s.Reason + ")"
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return "no version of " + v.wish.Key + " is deployed"
	}
	return "no healthy version of " + v.wish.Key + ": " + strings.Join(parts, ", ")
}
