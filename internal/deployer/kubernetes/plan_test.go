package kubernetes

import (
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/internal/manifest"
)

// settled is a Target as it is after all of a wish's objects were applied.
type settled struct {
	t    *testing.T
	wish delivery.Desired
	live live
}

// plan is what is due.
func (s *settled) plan(heal bool) plan {
	s.t.Helper()
	shape := manifest.Next(s.wish, s.live.halves(s.wish.Prepare))
	shape.App, shape.Env = "shop", "prod"
	place := manifest.Place{Namespace: "prod", Registry: "registry.example.com"}
	rendered, err := manifest.Render(place, shape)
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := newPlan(s.live, shape, rendered, heal)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// apply has the cluster be as the plan asks for.
func (s *settled) apply() {
	s.t.Helper()
	for _, o := range s.plan(false).objects {
		like := map[string]kube.Object{
			"Deployment": &appsv1.Deployment{}, "Service": &corev1.Service{}, "ConfigMap": &corev1.ConfigMap{}, "Job": &batchv1.Job{},
			"HorizontalPodAutoscaler": &autoscalingv2.HorizontalPodAutoscaler{}, "PodDisruptionBudget": &policyv1.PodDisruptionBudget{},
			"Ingress": &networkingv1.Ingress{}, "CronJob": &batchv1.CronJob{}, "NetworkPolicy": &networkingv1.NetworkPolicy{},
			"ServiceAccount": &corev1.ServiceAccount{}, "PersistentVolumeClaim": &corev1.PersistentVolumeClaim{},
		}[o.want.GetKind()]
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.want.Object, like); err != nil {
			s.t.Fatal(err)
		}
		switch v := like.(type) {
		case *appsv1.Deployment:
			if v.Name == "shop" {
				s.live.stable = v
			} else {
				s.live.canary = v
			}
		case *corev1.Service:
			if v.Name == "shop" {
				s.live.service = v
			} else {
				s.live.others = append(s.live.others, v)
			}
		default:
			s.live.others = append(s.live.others, like)
		}
	}
}

func settle(t *testing.T, w *delivery.Workload) *settled {
	t.Helper()
	s := &settled{t: t, wish: delivery.Desired{Generation: 7, Stable: new(revised(w, ""))}}
	s.apply()
	return s
}

func revised(w *delivery.Workload, manifests string) delivery.Revision {
	return delivery.NewRevision(delivery.Artifact{App: "shop", Digest: "sha256:1", Repository: "shop"}, "prod", delivery.Config{
		Home: "/home/services", Port: 8080, Replicas: 2, Workload: w, Manifests: manifests,
		Health: delivery.Health{Path: "/", Timeout: delivery.Duration(time.Minute)},
	})
}

func TestNothingIsDueOfWhatWasApplied(t *testing.T) {
	s := settle(t, &delivery.Workload{Autoscale: delivery.Autoscale{Min: 2, Max: 5}, Ingress: delivery.Ingress{Host: "shop.example.com"}})
	if p := s.plan(true); p.behind() || len(p.drift()) > 0 {
		t.Errorf("behind: %v, drift: %+v", p.behind(), p.drift())
	}
	s.live.stable.Spec.Replicas = new(int32(4)) // by the autoscaler
	if p := s.plan(true); p.behind() || len(p.drift()) > 0 {
		t.Errorf("what the autoscaler does: behind: %v, drift: %+v", p.behind(), p.drift())
	}
	s.wish.Generation++
	if p := s.plan(false); p.behind() {
		t.Error("the same wish under another generation is written again")
	}
	if g := s.live.generation(); g != 7 {
		t.Errorf("the fence is at %d", g)
	}
}

// What others change of the traffic is due at once, the rest is shown or healed.
func TestDrift(t *testing.T) {
	for name, c := range map[string]struct {
		change func(l *live)
		due    bool
		drift  string
	}{
		"the selector points elsewhere": {func(l *live) { l.service.Spec.Selector["app"] = "other" }, true, ""},
		"the selector has one more":     {func(l *live) { l.service.Spec.Selector["x"] = "y" }, true, ""},
		"fewer pods":                    {func(l *live) { l.stable.Spec.Replicas = new(int32(1)) }, true, ""},
		"another image": {func(l *live) {
			containers := l.stable.Spec.Template.Spec.Containers
			containers[len(containers)-1].Image = "other"
		}, true, ""},
		"no Service":          {func(l *live) { l.service = nil }, true, ""},
		"a canary of nobody":  {func(l *live) { l.canary = l.stable.DeepCopy(); l.canary.Name = "shop-canary" }, true, ""},
		"more time to end":    {func(l *live) { l.stable.Spec.Template.Spec.TerminationGracePeriodSeconds = new(int64(99)) }, false, ".spec.template.spec.terminationGracePeriodSeconds"},
		"a label of theirs":   {func(l *live) { l.stable.Labels["theirs"] = "x" }, false, ""},
		"another budget":      {func(l *live) { l.others[0].(*policyv1.PodDisruptionBudget).Spec.MaxUnavailable = nil }, false, ".spec.maxUnavailable"},
		"an annotation of us": {func(l *live) { l.stable.Annotations[annotationApplied] = "old" }, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := settle(t, nil)
			c.change(&s.live)
			p := s.plan(false)
			if p.behind() != c.due {
				t.Errorf("behind: %v, want %v", p.behind(), c.due)
			}
			shown := ""
			for _, d := range p.drift() {
				shown += d.Field
			}
			if shown != c.drift {
				t.Errorf("shown: %q, want %q", shown, c.drift)
			}
			if c.drift != "" && !s.plan(true).behind() {
				t.Error("the policy to heal leaves it")
			}
		})
	}
}

// Going back to the stable version the Service comes first; otherwise pods do.
func TestOrder(t *testing.T) {
	s := settle(t, nil)
	kinds := func() []string {
		var all []string
		for _, o := range s.plan(false).order() {
			all = append(all, o.want.GetKind())
		}
		return all
	}
	if k := kinds(); k[0] != "Service" {
		t.Errorf("with the stable version serving: %v", k)
	}
	next := *s.wish.Stable
	next.ID = delivery.RevisionID("sha256:" + strings.Repeat("b", 64))
	s.wish.Canary, s.wish.Share, s.wish.Warm = &next, 50, true
	if k := kinds(); slices.Index(k, "Service") < slices.Index(k, "Deployment") {
		t.Errorf("towards a canary: %v", k)
	}
}
