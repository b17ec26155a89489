package kubernetes

import (
	"context"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/workload"
	"github.com/shiplock/shiplock/internal/kube"
)

// judge says what keeps a Deployment's version from running as it should, and whether it
// never will.
func (d *Deployer) judge(ctx context.Context, p plan, of *appsv1.Deployment) (*delivery.Cause, bool) {
	e := d.evidence(p.live, of)
	if cause, _ := workload.Judge(e, d.Now()); cause == nil {
		return nil, false // nothing to read logs for
	}
	e.Logs = d.logs(ctx, p.live, workload.Wanted(e))
	return workload.Judge(e, d.Now())
}

// judgeCommand says what keeps the command before a release from succeeding.
func (d *Deployer) judgeCommand(ctx context.Context, p plan) (*delivery.Cause, bool) {
	job := p.live.job(p.shape.Prepare)
	if job == nil {
		return nil, false
	}
	e := workload.Evidence{App: p.live.app}
	names := []string{job.Name}
	for _, pod := range p.live.pods {
		if owned(pod, job) {
			e.Pods = append(e.Pods, pod)
			names = append(names, pod.Name)
		}
	}
	e.Events = d.events(names)
	if cause, _ := workload.JudgeTask(job, e, d.Now()); cause == nil {
		return nil, false
	}
	e.Logs = d.logs(ctx, p.live, workload.Wanted(e))
	return workload.JudgeTask(job, e, d.Now())
}

func (d *Deployer) events(names []string) (all []*corev1.Event) {
	for _, name := range names {
		all = append(all, d.watches.warnings.Of(name)...)
		all = append(all, d.watches.killings.Of(name)...)
	}
	return all
}

// evidence is what the watches have seen of a version.
func (d *Deployer) evidence(l live, of *appsv1.Deployment) workload.Evidence {
	e := workload.Evidence{App: l.app, Deployment: of}
	names := []string{of.Name}
	if rs := l.newest(of); rs != nil {
		e.ReplicaSets = append(e.ReplicaSets, rs)
		names = append(names, rs.Name)
		for _, p := range l.pods {
			if owned(p, rs) {
				e.Pods = append(e.Pods, p)
				names = append(names, p.Name)
			}
		}
	}
	e.Events = d.events(names)
	return e
}

// logPatience limits the reading of all logs for one look at a version.
const logPatience = 3 * time.Second

// readLog is what was read of a container's instance.
type readLog struct {
	lines []string
	at    time.Time
}

const (
	// A log that grows is read again; one of an instance that has ended is whole.
	logFresh  = 2 * time.Second
	logKept   = 10 * time.Minute
	maxLogsIn = 1000
)

// instance names one life of a container.
type instance struct {
	pod, container string
	life           int32
}

// logs reads what is wanted, as far as it is to be had in time.
func (d *Deployer) logs(ctx context.Context, l live, wanted []workload.Log) map[workload.Log][]string {
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	all := map[workload.Log][]string{}
	for _, w := range wanted {
		life, over := lifeOf(l, w)
		key := instance{w.Pod, w.Container, life}
		if lines, ok := d.kept(key, over); ok {
			all[w] = lines
			continue
		}
		raw, err := d.Cluster.Log(ctx, kube.LogQuery{
			Namespace: d.Place.Namespace, Pod: w.Pod, Container: w.Container, Previous: w.Previous, Lines: workload.WantedLines,
		})
		if err != nil {
			continue // the Cause says as much as it can without
		}
		all[w] = strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
		d.keep(key, all[w])
	}
	return all
}

// lifeOf counts a container's instances up to the one that a log is of; over says that it
// has ended.
func lifeOf(l live, w workload.Log) (life int32, over bool) {
	for _, p := range l.pods {
		if p.Name != w.Pod {
			continue
		}
		for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
			if s.Name != w.Container {
				continue
			}
			if w.Previous {
				return s.RestartCount - 1, true
			}
			return s.RestartCount, s.State.Terminated != nil
		}
	}
	return 0, false
}

func (d *Deployer) kept(key instance, over bool) ([]string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.read[key]
	if !ok || !over && d.Now().Sub(r.at) > logFresh {
		return nil, false
	}
	return r.lines, true
}

func (d *Deployer) keep(key instance, lines []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Now()
	for old, r := range d.read {
		if now.Sub(r.at) > logKept || len(d.read) >= maxLogsIn {
			delete(d.read, old)
		}
	}
	d.read[key] = readLog{lines, now}
}
