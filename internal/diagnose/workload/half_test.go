package workload_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/diagnose/workload"
)

// empty takes a few things out of a value, wherever they are in it.
func empty(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && v.Elem().CanSet() {
			empty(r, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			empty(r, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				if r.IntN(30) == 0 {
					f.SetZero()
					continue
				}
				empty(r, f)
			}
		}
	}
}

// Whatever is missing of what a cluster says, nobody panics, and what is said is whole.
func TestHalfFilledObjects(t *testing.T) {
	all := verdicts()
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for seed := range uint64(40) {
		for i, name := range names {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			e := copied(all[name].evidence)
			empty(r, reflect.ValueOf(&e.Deployment))
			empty(r, reflect.ValueOf(e.ReplicaSets))
			empty(r, reflect.ValueOf(e.Pods))
			empty(r, reflect.ValueOf(e.Events))
			if len(e.Pods) > 0 && r.IntN(10) == 0 {
				e.Pods[0] = nil
			}
			if n := len(workload.Wanted(e)); n > workload.WantedLogs {
				t.Errorf("%s, seed %d: %d logs are wanted", name, seed, n)
			}
			if cause, _ := workload.Judge(e, t0); cause != nil && (cause.Text == cause.Code || strings.ContainsAny(cause.Text, "{}«»") && !strings.Contains(cause.Text, "taint")) {
				t.Errorf("%s, seed %d: it says %q with %v", name, seed, cause.Text, cause.Args)
			}
		}
	}
}

func copied(e workload.Evidence) workload.Evidence {
	e.Deployment = e.Deployment.DeepCopy()
	e.ReplicaSets, e.Pods, e.Events = each(e.ReplicaSets, (*appsv1.ReplicaSet).DeepCopy), each(e.Pods, (*corev1.Pod).DeepCopy), each(e.Events, (*corev1.Event).DeepCopy)
	return e
}

func each[T any](list []*T, copy func(*T) *T) []*T {
	var all []*T
	for _, x := range list {
		all = append(all, copy(x))
	}
	return all
}

// No Cause that is known in full has a stand-in for what is not.
func TestVerdictsAreComplete(t *testing.T) {
	for name, v := range verdicts() {
		if cause, _ := workload.Judge(v.evidence, t0); cause != nil {
			for arg, value := range cause.Args {
				if value == "?" {
					t.Errorf("%s: %s is not known", name, arg)
				}
			}
		}
	}
}

// What it is given is only read.
func TestJudgeChangesNothing(t *testing.T) {
	for name, v := range verdicts() {
		before := copied(v.evidence)
		workload.Wanted(v.evidence)
		workload.Judge(v.evidence, t0)
		if !reflect.DeepEqual(before, v.evidence) {
			t.Errorf("%s: the evidence was changed", name)
		}
	}
}

func TestWanted(t *testing.T) {
	for name, c := range map[string]struct {
		evidence workload.Evidence
		want     []workload.Log
	}{
		"all is well":         {evidence(pod("shop-1", ready)), nil},
		"not yet started":     {evidence(pod("shop-1", waiting("ContainerCreating", ""))), nil},
		"in a loop, at rest":  {evidence(pod("shop-1", exited(3, 1, "Error", ""))), []workload.Log{{Pod: "shop-1", Container: "shop"}}},
		"in a loop, once run": {evidence(pod("shop-1", restarted(2, 1))), []workload.Log{{Pod: "shop-1", Container: "shop"}, {Pod: "shop-1", Container: "shop", Previous: true}}},
		"not ready":           {evidence(pod("shop-1", running)), []workload.Log{{Pod: "shop-1", Container: "shop"}}},
		"the newest three": {
			evidence(pod("shop-1", running, made(50)), pod("shop-2", running, made(40)), pod("shop-3", running, made(30)), pod("shop-4", running, made(20)), pod("shop-5", ready)),
			[]workload.Log{{Pod: "shop-4", Container: "shop"}, {Pod: "shop-3", Container: "shop"}, {Pod: "shop-2", Container: "shop"}},
		},
		"an init container that has done": {
			evidence(pod("shop-1", beside(false, corev1.ContainerStatus{Name: "migrate", Ready: true, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"}}}))), nil,
		},
	} {
		if got := workload.Wanted(c.evidence); !slices.Equal(got, c.want) {
			t.Errorf("%s: wants %v, not %v", name, got, c.want)
		}
	}
}
