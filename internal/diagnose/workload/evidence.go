package workload

import (
	"cmp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// Evidence is what a cluster says of one version of an App, which has one Deployment.
// Any of it may be missing. It is only read.
type Evidence struct {
	// App is the App's name, and its container's.
	App        string
	Deployment *appsv1.Deployment
	// ReplicaSets are the Deployment's own of this version.
	ReplicaSets []*appsv1.ReplicaSet
	// Pods are those of this version, with those that end.
	Pods []*corev1.Pod
	// Events are about any of these: all warnings, and those of reason Killing.
	Events []*corev1.Event
	// Logs are the last lines of what Wanted asks for, as far as they were to be had.
	Logs map[Log][]string
}

// Bounds of what Wanted asks for.
const (
	// WantedLogs is the most logs.
	WantedLogs = 6
	// WantedLines of the end of each are enough, and WantedBytes.
	WantedLines = 200
	WantedBytes = 64 << 10
	wantedPods  = 3
)

// Log is what one instance of a container wrote: the one that runs or ended last, or
// with Previous the one before it.
type Log struct {
	Pod, Container string
	Previous       bool
}

// Wanted are the logs that help to judge: of the newest pods in trouble, at most
// WantedLogs.
func Wanted(e Evidence) []Log {
	var logs []Log
	troubled := 0
	for _, p := range newest(e.Pods) {
		before := len(logs)
		for _, s := range statuses(p) {
			if s.Ready || s.State.Terminated != nil && s.State.Terminated.ExitCode == 0 && isInit(p, s.Name) {
				continue
			}
			if s.State.Running != nil || s.State.Terminated != nil || s.LastTerminationState.Terminated != nil {
				logs = append(logs, Log{Pod: p.Name, Container: s.Name})
			}
			if s.State.Running != nil && s.LastTerminationState.Terminated != nil {
				logs = append(logs, Log{Pod: p.Name, Container: s.Name, Previous: true})
			}
		}
		if len(logs) > before {
			troubled++
		}
		if troubled == wantedPods {
			break
		}
	}
	return logs[:min(len(logs), WantedLogs)]
}

// newest are the pods, the youngest first; those without any content are left out.
func newest(pods []*corev1.Pod) []*corev1.Pod {
	sorted := slices.DeleteFunc(slices.Clone(pods), func(p *corev1.Pod) bool { return p == nil })
	slices.SortStableFunc(sorted, func(a, b *corev1.Pod) int {
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
	})
	return sorted
}

// statuses are those of all containers, in the order in which they start.
func statuses(p *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
}

// isInit tells whether a container has to end before the app starts.
func isInit(p *corev1.Pod, container string) bool {
	return slices.ContainsFunc(p.Spec.InitContainers, func(c corev1.Container) bool {
		return c.Name == container && (c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways)
	})
}

// about are the events of an object, the newest first.
func (e Evidence) about(kind, name string, reasons ...string) []*corev1.Event {
	var found []*corev1.Event
	for _, event := range e.Events {
		if event != nil && event.InvolvedObject.Kind == kind && event.InvolvedObject.Name == name && slices.Contains(reasons, event.Reason) {
			found = append(found, event)
		}
	}
	slices.SortStableFunc(found, func(a, b *corev1.Event) int { return said.Seen(b).Compare(said.Seen(a)) })
	return found
}

// log is what the instance of a container that ended wrote, or the one that runs.
func (e Evidence) log(pod string, s corev1.ContainerStatus, ended bool) []string {
	previous := ended && s.State.Running != nil
	if lines, ok := e.Logs[Log{pod, s.Name, previous}]; ok || !ended {
		return lines
	}
	return e.Logs[Log{pod, s.Name, !previous}]
}
