package pods_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/diagnose/pods"
)

var t0 = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

// pod is one of a build that runs on node-1, changed by each of the changes.
func pod(changes ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "shop-1-build-1", UID: "1"}}
	p.Spec.NodeName = "node-1"
	p.Spec.Containers = []corev1.Container{{Name: "build", Resources: corev1.ResourceRequirements{
		Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")},
	}}}
	p.Status.Phase = corev1.PodPending
	for _, change := range changes {
		change(p)
	}
	return p
}

func phaseIs(phase corev1.PodPhase, reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.Phase, p.Status.Reason, p.Status.Message = phase, reason, message }
}

func condition(kind corev1.PodConditionType, status corev1.ConditionStatus, reason, message string, at time.Time) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(at)})
	}
}

func scheduled(at time.Time) func(*corev1.Pod) {
	return condition(corev1.PodScheduled, corev1.ConditionTrue, "", "", at)
}

func build(s corev1.ContainerState) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "build", Image: "registry.example.com/golang:1.26", State: s}}
	}
}

func waiting(reason, message string) func(*corev1.Pod) {
	return build(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}})
}

func terminated(code int32, reason, message string) func(*corev1.Pod) {
	return build(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message}})
}

func deleted(ago time.Duration) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.NewTime(t0.Add(-ago))) }
}

func sidecar(s corev1.ContainerStatus) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.InitContainerStatuses = []corev1.ContainerStatus{s} }
}

var running = build(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})

func event(reason, message string) corev1.Event {
	return corev1.Event{Reason: reason, Message: message, LastTimestamp: metav1.NewTime(t0), InvolvedObject: corev1.ObjectReference{UID: "1"}}
}

func TestAttempt(t *testing.T) {
	const image = "registry.example.com/golang:1.26"
	for name, c := range map[string]struct {
		pod      *corev1.Pod
		warnings []corev1.Event
		phase    delivery.AttemptPhase
		says     string // the Cause in English; "" is none
	}{
		"new":                 {pod: pod(), phase: delivery.AttemptPending},
		"about to start":      {pod: pod(scheduled(t0), waiting("ContainerCreating", "")), phase: delivery.AttemptPending},
		"running":             {pod: pod(phaseIs(corev1.PodRunning, "", ""), running), phase: delivery.AttemptAlive},
		"told to go":          {pod: pod(phaseIs(corev1.PodRunning, "", ""), running, deleted(0)), phase: delivery.AttemptAlive, says: "the build's pod was deleted"},
		"told to go long ago": {pod: pod(phaseIs(corev1.PodRunning, "", ""), running, deleted(time.Minute)), phase: delivery.AttemptOver, says: "the node node-1 does not answer"},
		"no room": {
			pod:   pod(condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "0/3 nodes are available: 3 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.", t0.Add(-time.Hour))),
			phase: delivery.AttemptPending, says: "no node takes the build: 0/3 nodes are available: 3 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never",
		},
		"no such image": {
			pod:   pod(scheduled(t0), waiting("ErrImagePull", `rpc error: code = NotFound desc = failed to pull and unpack image "`+image+`": failed to resolve reference: not found`)),
			phase: delivery.AttemptPending, says: "the image " + image + " cannot be pulled: the registry has no such image, or hides it",
		},
		"no such image, for long": {
			pod:   pod(scheduled(t0.Add(-pods.Patience)), waiting("ErrImagePull", "manifest unknown")),
			phase: delivery.AttemptOver, says: "the image " + image + " cannot be pulled: the registry has no such image, or hides it",
		},
		"the kubelet pauses": {
			pod:      pod(scheduled(t0), waiting("ImagePullBackOff", `Back-off pulling image "`+image+`"`)),
			warnings: []corev1.Event{event("Failed", `Failed to pull image "`+image+`": unexpected status: 401 Unauthorized`), event("FailedMount", "elsewhere")},
			phase:    delivery.AttemptPending, says: "the image " + image + " cannot be pulled: the registry refuses the credentials",
		},
		"the kubelet tries again": {
			pod:      pod(scheduled(t0), waiting("ContainerCreating", "")),
			warnings: []corev1.Event{event("Failed", `Failed to pull image "registry.example.com/db:1": not found`), event("Failed", "Error: ErrImagePull")},
			phase:    delivery.AttemptPending, says: "the image registry.example.com/db:1 cannot be pulled: the registry has no such image, or hides it",
		},
		"registry away": {
			pod:   pod(scheduled(t0), waiting("ErrImagePull", "dial tcp 10.0.0.9:443: connect: connection refused")),
			phase: delivery.AttemptPending, says: "the image " + image + " cannot be pulled: the registry does not answer",
		},
		"no name of an image": {
			pod:   pod(scheduled(t0), waiting("InvalidImageName", "couldn't parse image name")),
			phase: delivery.AttemptOver, says: image + " is not the name of an image",
		},
		"a claim that is not bound": {
			pod:      pod(scheduled(t0), waiting("ContainerCreating", "")),
			warnings: []corev1.Event{event("FailedMount", `MountVolume.SetUp failed for volume "own-settings" : configmap "settings" not found`)},
			phase:    delivery.AttemptPending, says: `a volume of the build cannot be mounted: MountVolume.SetUp failed for volume "own-settings" : configmap "settings" not found`,
		},
		"no network for the pod": {
			pod:      pod(scheduled(t0), waiting("ContainerCreating", "")),
			warnings: []corev1.Event{event("FailedCreatePodSandBox", "no IP addresses available in range set")},
			phase:    delivery.AttemptPending, says: "the node node-1 cannot set the build's pod up: no IP addresses available in range set",
		},
		"out of memory": {
			pod:   pod(phaseIs(corev1.PodFailed, "", ""), terminated(137, "OOMKilled", "")),
			phase: delivery.AttemptOver, says: "out of memory: the build used all of its 64Mi",
		},
		"workspace full": {
			pod:   pod(phaseIs(corev1.PodFailed, "Evicted", `Usage of EmptyDir volume "workspace" exceeds the limit "32Mi". `), terminated(137, "Error", "")),
			phase: delivery.AttemptOver, says: "out of disk: the build wrote more than its limit of 32Mi",
		},
		"disk of the container full": {
			pod:   pod(phaseIs(corev1.PodFailed, "Evicted", `Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. `)),
			phase: delivery.AttemptOver, says: "out of disk: the build wrote more than its limit of 1Gi",
		},
		"node full": {
			pod:   pod(phaseIs(corev1.PodFailed, "Evicted", "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi. ")),
			phase: delivery.AttemptOver, says: "the node put the build out: The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi",
		},
		"node that is full already": {
			pod:   pod(phaseIs(corev1.PodFailed, "Evicted", "Pod was rejected: The node had condition: [DiskPressure]. ")),
			phase: delivery.AttemptOver, says: "the node node-1 took no more builds: Pod was rejected: The node had condition: [DiskPressure]",
		},
		"preempted": {
			pod:   pod(phaseIs(corev1.PodFailed, "", ""), terminated(137, "Error", ""), condition(corev1.DisruptionTarget, corev1.ConditionTrue, "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod", t0)),
			phase: delivery.AttemptOver, says: "something more important took the build's place: default-scheduler: preempting to accommodate a higher priority pod",
		},
		"drained": {
			pod:   pod(phaseIs(corev1.PodFailed, "", ""), terminated(143, "Error", ""), condition(corev1.DisruptionTarget, corev1.ConditionTrue, "EvictionByEvictionAPI", "Eviction API: evicting", t0)),
			phase: delivery.AttemptOver, says: "the node node-1 is drained, or was taken back: Eviction API: evicting",
		},
		"still reporting while it is drained": {
			pod:   pod(phaseIs(corev1.PodRunning, "", ""), running, deleted(0), condition(corev1.DisruptionTarget, corev1.ConditionTrue, "EvictionByEvictionAPI", "Eviction API: evicting", t0)),
			phase: delivery.AttemptAlive, says: "the node node-1 is drained, or was taken back: Eviction API: evicting",
		},
		"still reporting while it is evicted": {
			pod:   pod(phaseIs(corev1.PodRunning, "", ""), running, condition(corev1.DisruptionTarget, corev1.ConditionTrue, "TerminationByKubelet", `Usage of EmptyDir volume "workspace" exceeds the limit "50Mi". `, t0)),
			phase: delivery.AttemptAlive, says: "out of disk: the build wrote more than its limit of 50Mi",
		},
		"node taken back": {
			pod:   pod(phaseIs(corev1.PodFailed, "Terminated", "Pod was terminated in response to imminent node shutdown."), condition(corev1.DisruptionTarget, corev1.ConditionTrue, "TerminationByKubelet", "Pod was terminated in response to imminent node shutdown.", t0)),
			phase: delivery.AttemptOver, says: "the node node-1 is drained, or was taken back: Pod was terminated in response to imminent node shutdown",
		},
		"node gone": {
			pod:   pod(phaseIs(corev1.PodFailed, "", ""), condition(corev1.DisruptionTarget, corev1.ConditionTrue, "DeletionByPodGC", "PodGC: node no longer exists", t0)),
			phase: delivery.AttemptOver, says: "the node node-1 does not answer",
		},
		"refused by the node": {
			pod:   pod(phaseIs(corev1.PodFailed, "OutOfcpu", "Node didn't have enough resource: cpu")),
			phase: delivery.AttemptOver, says: "the node put the build out: OutOfcpu: Node didn't have enough resource: cpu",
		},
		"runner failed": {
			pod:   pod(phaseIs(corev1.PodFailed, "", ""), terminated(1, "Error", "level=ERROR msg=\"runner cannot start\"\n")),
			phase: delivery.AttemptOver, says: "the build's pod ended: Error, exit 1",
		},
		"runner done": {
			pod:   pod(phaseIs(corev1.PodSucceeded, "", ""), terminated(0, "Completed", "")),
			phase: delivery.AttemptOver, says: "the build process has ended",
		},
		"service crashes": {
			pod: pod(scheduled(t0), waiting("PodInitializing", ""), sidecar(corev1.ContainerStatus{
				Name: "db", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 10s"}},
				LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", Message: "Error: Database is uninitialized"}},
			})),
			phase: delivery.AttemptPending, says: "the service db beside the build does not run: Error, exit 1",
		},
		"service was started again": {
			pod: pod(scheduled(t0), waiting("PodInitializing", ""), sidecar(corev1.ContainerStatus{
				Name: "db", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, Started: new(false),
				LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", Message: "Error: Database is uninitialized"}},
			})),
			phase: delivery.AttemptPending, says: "the service db beside the build does not run: Error, exit 1",
		},
		"service came up at last": {
			pod: pod(scheduled(t0), waiting("PodInitializing", ""), sidecar(corev1.ContainerStatus{
				Name: "db", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, Started: new(true),
				LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error"}},
			})),
			phase: delivery.AttemptPending,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := pods.Attempt(c.pod, c.warnings, t0)
			if s.Phase != c.phase || s.Cause.String() != c.says {
				t.Fatalf("%s, because %q; want %s, because %q", s.Phase, s.Cause, c.phase, c.says)
			}
			if s.Cause == nil {
				return
			}
			if zh := s.Cause.In(phrase.Chinese); zh.Text == s.Cause.Text || strings.Contains(zh.Text, "{") {
				t.Errorf("in Chinese it says %q", zh.Text)
			}
		})
	}
}
