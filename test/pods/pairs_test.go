//go:build e2e

package pods

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/kube"
)

// overhead is a world of builds that do nothing, and of bare pods like theirs.
type overhead struct {
	*world
	sight  *kube.Sight
	client *client.Client
	// like is a build's pod.
	like *core.Pod
	made int // bare pods so far
	// seenAfter is how long after each run's creation its pod was seen, bareAfter how
	// long after it was asked for a bare one was.
	seenAfter, bareAfter []time.Duration
	// endedAfter is how long after asking for runs the last of their pods had ended, by
	// how many they were.
	endedAfter map[int][]time.Duration
}

func newOverhead(t *testing.T) *overhead {
	w := &overhead{world: newWorld(t), endedAfter: map[int][]time.Duration{}}
	w.sight, w.client = w.space.Look(t), client.New(w.server.URL(), harness.AdminToken)
	docs := []harness.Doc{w.script("noop", "true",
		`"pod": {"resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}}}`)}
	for i := range *atOnce {
		docs = append(docs, app(noop(i), "noop"))
	}
	w.api.Apply(docs...)
	w.builds(1) // makes the image with the runner
	for _, p := range w.sight.Pods() {
		w.like = p.Pod
	}
	w.barePods(1)
	w.seenAfter, w.bareAfter, w.endedAfter = nil, nil, map[int][]time.Duration{}
	return w
}

func noop(i int) string { return fmt.Sprintf("noop%d", i) }

// builds returns the time from asking for n runs to the last one's success. It waits
// until their pods are gone, so that the next measurement does not bear with that.
func (w *overhead) builds(n int) time.Duration {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Minute)
	defer cancel()
	runs, errs := make([]api.Run, n), make([]error, n)
	var work sync.WaitGroup
	start := time.Now()
	for i := range n {
		work.Go(func() { runs[i], errs[i] = w.build(ctx, noop(i)) })
	}
	work.Wait()
	took := time.Since(start)
	for i, err := range errs {
		if err != nil {
			w.t.Fatalf("%s: %v\n%s", noop(i), err, w.server.LogTail())
		}
	}
	var ended time.Duration
	for _, r := range runs {
		pod := podOf(w.sight.Await(w.t, "pod of "+r.Name+" gone", func(pods map[string]kube.Seen) bool { return !podOf(pods, r).Gone.IsZero() }), r)
		w.seenAfter = append(w.seenAfter, pod.There.Sub(r.CreatedAt))
		ended = max(ended, pod.Ended.Sub(start))
	}
	w.endedAfter[n] = append(w.endedAfter[n], ended)
	return took
}

func (w *overhead) build(ctx context.Context, app string) (api.Run, error) {
	r, err := w.client.StartRun(ctx, api.StartRun{App: app, Env: "dev", Commit: someCommit})
	if err != nil {
		return r, err
	}
	r, err = w.client.WatchRun(ctx, string(r.ID), func(api.Run) error { return nil })
	if err == nil && r.State != delivery.RunSucceeded {
		err = fmt.Errorf("%s is %s: %+v", r.Name, r.State, r.Cause)
	}
	return r, err
}

func podOf(pods map[string]kube.Seen, r api.Run) (seen kube.Seen) {
	for _, p := range pods {
		if p.Labels["shiplock.dev/app"] == r.App && p.Labels["shiplock.dev/run"] == strconv.Itoa(r.Number) {
			return p
		}
	}
	return seen
}

// barePods returns the time from making n pods to the last one's success.
func (w *overhead) barePods(n int) time.Duration {
	w.t.Helper()
	asked := make([]time.Time, n)
	pods := make([]*core.Pod, n)
	var work sync.WaitGroup
	start := time.Now()
	for i := range n {
		w.made++
		pods[i] = w.barePod(fmt.Sprintf("bare-%d", w.made))
		work.Go(func() {
			asked[i] = time.Now()
			if err := w.space.TryCreate(w.t.Context(), "pods", pods[i]); err != nil {
				w.t.Error(err)
			}
		})
	}
	work.Wait()
	var last time.Time
	for i, p := range pods {
		seen := w.sight.Await(w.t, p.Name+" ended", func(pods map[string]kube.Seen) bool { return !pods[p.Name].Ended.IsZero() })[p.Name]
		if seen.Status.Phase != core.PodSucceeded {
			w.t.Fatalf("%s is %s: %+v", p.Name, seen.Status.Phase, seen.Status)
		}
		if w.bareAfter = append(w.bareAfter, seen.There.Sub(asked[i])); seen.Ended.After(last) {
			last = seen.Ended
		}
	}
	for _, p := range pods {
		w.space.Delete(w.t, w.space.Name, "pods", p.Name)
	}
	for _, p := range pods {
		w.sight.Await(w.t, p.Name+" gone", func(pods map[string]kube.Seen) bool { return !pods[p.Name].Gone.IsZero() })
	}
	return last.Sub(start)
}

// barePod is the least that runs in a build's image and asks for what a build asks for.
func (w *overhead) barePod(name string) *core.Pod {
	build := w.like.Spec.Containers[0]
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: name},
		Spec: core.PodSpec{
			RestartPolicy: core.RestartPolicyNever, AutomountServiceAccountToken: new(false), EnableServiceLinks: new(false),
			Containers: []core.Container{{
				Name: "main", Image: build.Image, ImagePullPolicy: build.ImagePullPolicy,
				Command: []string{"true"}, Resources: *build.Resources.DeepCopy(), // each reads its answer into its own
			}},
		},
	}
}
