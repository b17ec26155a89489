package workload_test

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/diagnose"
	"github.com/shiplock/shiplock/internal/diagnose/workload"
)

var t0 = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

const image = "registry.example.com/shop@sha256:0123"

func ago(d time.Duration) metav1.Time { return metav1.NewTime(t0.Add(-d)) }

// evidence is that of a version of shop with pods, of which each was changed.
func evidence(pods ...*corev1.Pod) workload.Evidence {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "prod", Generation: 1}}
	d.Spec.Replicas, d.Spec.ProgressDeadlineSeconds = new(int32(max(1, len(pods)))), new(int32(600))
	d.Status.ObservedGeneration = 1
	r := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "shop-7d4b", Namespace: "prod"}}
	r.Spec.Replicas = d.Spec.Replicas
	return workload.Evidence{App: "shop", Deployment: d, ReplicaSets: []*appsv1.ReplicaSet{r}, Pods: pods, Logs: map[workload.Log][]string{}}
}

type change func(*corev1.Pod)

// pod is one that was made a minute ago and placed on node-1.
func pod(name string, changes ...change) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "prod", UID: "1", CreationTimestamp: ago(time.Minute)}}
	p.Spec.NodeName = "node-1"
	c := corev1.Container{Name: "shop", Image: image, Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}
	c.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
	c.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("64")}
	get := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("http")}}
	c.StartupProbe = &corev1.Probe{ProbeHandler: get, TimeoutSeconds: 2}
	c.ReadinessProbe, c.LivenessProbe = c.StartupProbe.DeepCopy(), c.StartupProbe.DeepCopy()
	p.Spec.Containers = []corev1.Container{c}
	p.Status.Phase = corev1.PodPending
	p.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: ago(time.Minute)},
		{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "ContainersNotReady", Message: "containers with unready status: [shop]"},
	}
	for _, change := range changes {
		change(p)
	}
	return p
}

func made(before time.Duration) change {
	return func(p *corev1.Pod) {
		p.CreationTimestamp, p.Status.Conditions[0].LastTransitionTime = ago(before), ago(before)
	}
}

func ready(p *corev1.Pod) {
	running(p)
	p.Status.Conditions[1] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue}
	p.Status.ContainerStatuses[0].Ready = true
}

func status(s corev1.ContainerStatus) change {
	return func(p *corev1.Pod) {
		s.Name = "shop"
		p.Status.ContainerStatuses = []corev1.ContainerStatus{s}
	}
}

func running(p *corev1.Pod) {
	p.Status.Phase = corev1.PodRunning
	status(corev1.ContainerStatus{Started: new(true), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(40 * time.Second)}}})(p)
}

func unstarted(p *corev1.Pod) {
	running(p)
	p.Status.ContainerStatuses[0].Started = new(false)
}

func waiting(reason, message string) change {
	return status(corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}})
}

// exited is a container that has ended for the nth time within a second, and waits for
// its restart.
func exited(n int32, code int32, reason, message string) change {
	t := &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message, StartedAt: ago(11 * time.Second), FinishedAt: ago(10 * time.Second)}
	if n == 1 {
		return status(corev1.ContainerStatus{State: corev1.ContainerState{Terminated: t}})
	}
	return status(corev1.ContainerStatus{
		RestartCount: n - 1, LastTerminationState: corev1.ContainerState{Terminated: t},
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 10s restarting failed container=shop pod=shop-1_prod(1)"}},
	})
}

// restarted is a container that runs again after it was ended.
func restarted(n int32, code int32) change {
	return func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodRunning
		status(corev1.ContainerStatus{
			RestartCount: n, Started: new(false), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(5 * time.Second)}},
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Error", StartedAt: ago(50 * time.Second), FinishedAt: ago(6 * time.Second)}},
		})(p)
	}
}

func beside(sidecar bool, s corev1.ContainerStatus) change {
	return func(p *corev1.Pod) {
		c := corev1.Container{Name: s.Name, Image: "registry.example.com/" + s.Name + ":1"}
		if sidecar {
			c.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
		}
		p.Spec.InitContainers = append(p.Spec.InitContainers, c)
		p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses, s)
		waiting("PodInitializing", "")(p)
	}
}

func unplaced(message string) change {
	return func(p *corev1.Pod) {
		p.Spec.NodeName = ""
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: message, LastTransitionTime: ago(time.Hour)}}
	}
}

func ending(phase corev1.PodPhase, reason, message string) change {
	return func(p *corev1.Pod) { p.Status.Phase, p.Status.Reason, p.Status.Message = phase, reason, message }
}

func disrupted(reason, message string) change {
	return func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodFailed
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: reason, Message: message})
	}
}

func deleted(before time.Duration) change {
	return func(p *corev1.Pod) { p.DeletionTimestamp = new(ago(before)) }
}

func event(kind, name, reason, message string, before time.Duration) *corev1.Event {
	e := &corev1.Event{Type: "Warning", Reason: reason, Message: message, LastTimestamp: ago(before)}
	e.InvolvedObject = corev1.ObjectReference{Kind: kind, Name: name}
	return e
}

// told adds warnings about the pod shop-1: reason, message, …
func told(e workload.Evidence, pairs ...string) workload.Evidence {
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Events = append(e.Events, event("Pod", "shop-1", pairs[i], pairs[i+1], 10*time.Second))
	}
	return e
}

// wrote adds what the app of the pod shop-1 wrote.
func wrote(e workload.Evidence, previous bool, lines ...string) workload.Evidence {
	e.Logs[workload.Log{Pod: "shop-1", Container: "shop", Previous: previous}] = lines
	return e
}

func refusing(message string) workload.Evidence {
	e := evidence()
	e.ReplicaSets[0].Status.Conditions = []appsv1.ReplicaSetCondition{{
		Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: message, LastTransitionTime: ago(time.Minute),
	}}
	return e
}

func late(e workload.Evidence) workload.Evidence {
	e.Deployment.Status.Conditions = []appsv1.DeploymentCondition{{
		Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded", Message: `ReplicaSet "shop-7d4b" has timed out progressing.`,
	}}
	return e
}

type verdict struct {
	evidence workload.Evidence
	code     string // "" is nothing wrong
	says     string // in English
	shows    []string
	failed   bool
}

func TestJudge(t *testing.T) {
	for name, v := range verdicts() {
		t.Run(name, func(t *testing.T) {
			cause, failed := workload.Judge(v.evidence, t0)
			if cause == nil {
				if v.code != "" {
					t.Fatalf("nothing is wrong; want %s", v.code)
				}
				return
			}
			if cause.Code != v.code || cause.Text != v.says || failed != v.failed {
				t.Errorf("%s (failed %v): %s\nwant %s (failed %v): %s", cause.Code, failed, cause.Text, v.code, v.failed, v.says)
			}
			for _, line := range v.shows {
				if !strings.Contains(strings.Join(cause.Evidence, "\n"), line) {
					t.Errorf("the evidence is %q, without %q", cause.Evidence, line)
				}
			}
			promised(t, *cause)
		})
	}
}

// promised is what holds of every Cause: it is said in both languages, with what to do.
func promised(t *testing.T, c delivery.Cause) {
	t.Helper()
	zh := c.In(phrase.Chinese)
	if c.Next == "" || zh.Next == c.Next || zh.Text == c.Text || strings.Contains(zh.Text, "{") {
		t.Errorf("next %q; in Chinese %q, %q", c.Next, zh.Text, zh.Next)
	}
	if len(c.Evidence) > diagnose.MaxEvidence {
		t.Errorf("%d lines of evidence", len(c.Evidence))
	}
	if c.Code == workload.Unschedulable && strings.Contains(c.Text, "nodes ") && strings.Contains(zh.Text, "nodes ") || c.Code == workload.Quota && strings.Contains(zh.Text, " used") {
		t.Errorf("part of it is not in Chinese: %q", zh.Text)
	}
	for _, line := range append([]string{c.Text, zh.Text}, c.Evidence...) {
		if len(line) > 300 || strings.ContainsAny(line, "\n\x1b") {
			t.Errorf("not one plain line of 300 bytes: %q", line)
		}
	}
}
