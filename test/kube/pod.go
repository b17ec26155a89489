//go:build e2e

package kube

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// patience is for one step of a pod, on a busy machine.
const patience = 2 * time.Minute

// Script is a pod that runs a shell script of busybox once.
func Script(name, script string) *core.Pod {
	grace := int64(0)
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{"app": name}},
		Spec: core.PodSpec{
			RestartPolicy:                 core.RestartPolicyNever,
			TerminationGracePeriodSeconds: &grace,
			Containers: []core.Container{{
				Name: "main", Image: "busybox:1", Command: []string{"sh", "-c", script},
			}},
		},
	}
}

// Start makes a pod.
func (n *Namespace) Start(t testing.TB, pod *core.Pod) {
	t.Helper()
	n.Create(t, "pods", pod)
}

// Run makes a pod of one container, waits for its end, and returns how its container
// ended and what it printed.
func (n *Namespace) Run(t testing.TB, pod *core.Pod) (*core.ContainerStateTerminated, string) {
	t.Helper()
	n.Start(t, pod)
	p := n.Await(t, pod.Name, Ended)
	if len(p.Status.ContainerStatuses) != 1 || p.Status.ContainerStatuses[0].State.Terminated == nil {
		t.Fatalf("pod %s: %s: %s %s", pod.Name, p.Status.Phase, p.Status.Reason, p.Status.Message)
	}
	log, err := io.ReadAll(n.Logs(t, pod.Name))
	if err != nil {
		t.Fatal(err)
	}
	return p.Status.ContainerStatuses[0].State.Terminated, string(log)
}

// Ended and Running are states to wait for.
func Ended(p *core.Pod) bool {
	return p.Status.Phase == core.PodSucceeded || p.Status.Phase == core.PodFailed
}

// Running tells whether all containers of a pod are up and ready.
func Running(p *core.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == core.PodReady {
			return c.Status == core.ConditionTrue
		}
	}
	return false
}

// Await watches a pod until it is as asked for.
func (n *Namespace) Await(t testing.TB, name string, state func(*core.Pod) bool) *core.Pod {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := n.api.core()
	if err != nil {
		t.Fatal(err)
	}
	last := "it was not seen"
	for ctx.Err() == nil { // the server may end a watch
		w, err := client.Get().Namespace(n.Name).Resource("pods").VersionedParams(n.api.options(only(name))).Watch(ctx)
		if err != nil {
			t.Fatalf("watch pod %s: %v; %s", name, err, last)
		}
		for e := range w.ResultChan() {
			p, ok := e.Object.(*core.Pod)
			if ok && state(p) {
				w.Stop()
				return p
			}
			if ok {
				last = fmt.Sprintf("it was last %s: %+v", p.Status.Phase, p.Status.ContainerStatuses)
			}
		}
	}
	t.Fatalf("pod %s is not in the state that the test waits for; %s", name, last)
	return nil
}

// Logs follows the log of a pod's only container until it ends.
func (n *Namespace) Logs(t testing.TB, pod string) io.Reader {
	t.Helper()
	client, err := n.api.core()
	if err != nil {
		t.Fatal(err)
	}
	log, err := client.Get().Namespace(n.Name).Resource("pods").Name(pod).SubResource("log").
		VersionedParams(n.api.options(&core.PodLogOptions{Follow: true})).Stream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

// Pods are those of the namespace, as they are now.
func (n *Namespace) Pods(t testing.TB) []core.Pod {
	t.Helper()
	client, err := n.api.core()
	if err != nil {
		t.Fatal(err)
	}
	var list core.PodList
	if err := client.Get().Namespace(n.Name).Resource("pods").Do(t.Context()).Into(&list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}
