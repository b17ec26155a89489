package kubernetes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/internal/manifest"
)

const (
	// maxSources bounds how many containers one reader is given.
	maxSources = 50
	// lookEvery is how often the pods that the watches have seen are looked through for
	// new ones, and how long a log that ended rests before it is opened again.
	lookEvery = 500 * time.Millisecond
)

// source is a container whose log is read.
type source struct {
	uid            types.UID
	pod, container string
	revision       delivery.RevisionID
}

// ReadLog hands on what the App's pods print, one line after the other; hand may take its
// time. What is there comes in the order of its times; with Follow, what comes after that
// as it comes, until ctx ends. NotFound when there is no pod.
func (d *Deployer) ReadLog(ctx context.Context, app, env string, q delivery.AppLogQuery, hand func(delivery.AppLine) error) error {
	if err := d.blind(ctx); err != nil {
		return err
	}
	all := d.sources(app, q.Previous)
	if len(all) == 0 && !q.Follow {
		return noLog(app, env, q.Previous)
	}
	if left := len(all) - maxSources; left > 0 {
		all = all[left:]
		if err := hand(delivery.AppLine{Note: true, Text: fmt.Sprintf("%d older logs are left out: at most %d are read at once", left, maxSources)}); err != nil {
			return err
		}
	}
	r := &logReader{d: d, app: app, q: q, hand: hand, last: map[source]time.Time{}}
	if err := r.history(ctx, all); err != nil || !q.Follow {
		return err
	}
	return r.follow(ctx)
}

func noLog(app, env string, previous bool) error {
	if previous {
		return delivery.E(delivery.NotFound, fmt.Sprintf("no container of %s/%s was restarted: leave out --previous", app, env))
	}
	return delivery.E(delivery.NotFound, fmt.Sprintf("%s/%s has no pods: see `shiplock target show %s --env %s`", app, env, app, env))
}

// sources are the containers of an App's pods, the oldest pod first; of previous ones,
// those that were restarted.
func (d *Deployer) sources(app string, previous bool) []source {
	pods := slices.Clone(d.watches.pods.Of(app))
	slices.SortFunc(pods, func(a, b *corev1.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	var all []source
	for _, p := range pods {
		for _, name := range containers(p) {
			if !previous || restarts(p, name) > 0 {
				all = append(all, source{p.UID, p.Name, name, delivery.RevisionID(p.Annotations[manifest.AnnotationRevision])})
			}
		}
	}
	return all
}

// containers are those that run beside each other.
func containers(p *corev1.Pod) []string {
	var names []string
	for _, c := range p.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			names = append(names, c.Name)
		}
	}
	for _, c := range p.Spec.Containers {
		names = append(names, c.Name)
	}
	return names
}

func restarts(p *corev1.Pod, container string) int32 {
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if s.Name == container {
			return s.RestartCount
		}
	}
	return 0
}

// logReader reads the logs of one App for one reader.
type logReader struct {
	d    *Deployer
	app  string
	q    delivery.AppLogQuery
	hand func(delivery.AppLine) error
	// last is the time of the last line of each log.
	last map[source]time.Time
}

func (r *logReader) query(s source) kube.LogQuery {
	return kube.LogQuery{
		Namespace: r.d.Place.Namespace, Pod: s.pod, Container: s.container, Previous: r.q.Previous,
		Lines: r.q.Lines, Since: r.q.Since, Timestamps: true,
	}
}

// history hands on what is there.
func (r *logReader) history(ctx context.Context, all []source) error {
	var open []*lineReader
	defer func() {
		for _, l := range open {
			_ = l.from.Close() // it was only read
			r.last[l.source] = l.last
		}
	}()
	for _, s := range all {
		log, err := r.d.Cluster.OpenLog(ctx, r.query(s))
		switch {
		case err == nil:
			open = append(open, newLineReader(s, log, justBefore(r.q.Since)))
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !r.q.Follow:
			if err := r.hand(delivery.AppLine{Note: true, Pod: s.pod, Revision: s.revision, Text: fmt.Sprintf("the log of %s cannot be read: %v", s.pod, err)}); err != nil {
				return err
			}
		}
	}
	return merged(open, r.hand)
}

// justBefore has what was printed at a moment be after it.
func justBefore(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(-1)
}
