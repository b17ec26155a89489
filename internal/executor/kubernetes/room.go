package kubernetes

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/pods"
)

// Room tells what builds may use and use, as of what the watches have shown.
func (e *Executor) Room(context.Context) (delivery.Room, error) {
	r := delivery.Room{
		Executor: "kubernetes", Cluster: e.Cluster.Host, Namespace: e.Namespace, PriorityClass: e.PriorityClass,
		Away: e.away(), Quotas: quotaLines(e.quotas.All()),
	}
	var running, pending sum
	for _, p := range e.pods.All() {
		switch pods.Attempt(p, nil, e.Now()).Phase {
		case delivery.AttemptAlive:
			running.add(p)
		case delivery.AttemptPending:
			pending.add(p)
		}
	}
	r.Running, r.Pending = running.use(), pending.use()
	return r, nil
}

// sum is what some pods ask for together.
type sum struct {
	pods int
	asks corev1.ResourceList
}

func (s *sum) add(p *corev1.Pod) {
	s.pods++
	if s.asks == nil {
		s.asks = corev1.ResourceList{}
	}
	// Services run as long as the build, so they count beside it.
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		for name, amount := range c.Resources.Requests {
			all := s.asks[name]
			all.Add(amount)
			s.asks[name] = all
		}
	}
}

func (s *sum) use() delivery.RoomUse {
	u := delivery.RoomUse{Builds: s.pods, Requests: map[string]string{}}
	for name, amount := range s.asks {
		u.Requests[string(name)] = amount.String()
	}
	return u
}

// quotaLines are all that quotas bound, in the order of their names.
func quotaLines(quotas []*corev1.ResourceQuota) []delivery.QuotaLine {
	var lines []delivery.QuotaLine
	for _, q := range quotas {
		for name, hard := range q.Status.Hard {
			used := q.Status.Used[name]
			lines = append(lines, delivery.QuotaLine{
				Quota: q.Name, Resource: string(name), Used: used.String(), Hard: hard.String(),
			})
		}
	}
	slices.SortFunc(lines, func(a, b delivery.QuotaLine) int {
		return strings.Compare(a.Quota+"\x00"+a.Resource, b.Quota+"\x00"+b.Resource)
	})
	return lines
}
