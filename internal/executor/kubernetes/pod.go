package kubernetes

import (
	"maps"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/pods"
)

// Labels of what we make.
const (
	labelManagedBy    = "app.kubernetes.io/managed-by"
	labelComponent    = "app.kubernetes.io/component"
	labelInstallation = "shiplock.dev/installation"
	labelApp          = "shiplock.dev/app"
	labelRun          = "shiplock.dev/run"
	labelDomain       = "shiplock.dev/trust-domain"
	labelStack        = "shiplock.dev/stack"

	managedBy = "shiplock"
)

const (
	workspacePath = "/workspace"
	// jobPath is a folder that the runner makes, since the volume's own is not its.
	jobPath   = workspacePath + "/job"
	cachePath = "/cache"
	// user is the only one in a build's pod, whatever its image says.
	user = 1000
)

// What a runner is told, by environment variables; see package runner.
const (
	envImage      = "SHIPLOCK_IMAGE"
	envServer     = "SHIPLOCK_SERVER"
	envAttempt    = "SHIPLOCK_ATTEMPT"
	envCode       = "SHIPLOCK_CODE"
	envWorkspace  = "SHIPLOCK_WORKSPACE"
	envCache      = "SHIPLOCK_CACHE"
	envCacheRead  = "SHIPLOCK_CACHE_READ"
	envCacheLimit = "SHIPLOCK_CACHE_LIMIT"
)

// unsaid is what bounds a build whose Stack says nothing: without a limit a single
// build takes all that its node has.
var unsaid = delivery.Resources{
	Requests: map[string]delivery.Quantity{"cpu": "500m", "memory": "512Mi"},
	Limits:   map[string]delivery.Quantity{"memory": "2Gi", "ephemeral-storage": "10Gi"},
}

// overtime is how long a pod may outlive its job's own limit, which the server keeps:
// long enough for a server that is away, and an end for a pod that nobody looks after.
const overtime = 30 * time.Minute

// named is a pod with nothing but its name.
func named(namespace, key string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: key}}
}

// pod is what an attempt runs in. It is a pure function of its arguments and the
// configuration.
func (e *Executor) pod(spec delivery.AttemptSpec, image string) *corev1.Pod {
	want := spec.Pod
	if want == nil {
		want = &delivery.BuildPod{}
	}
	app, number, _, _, _ := delivery.ParseAttemptKey(spec.Key) // Start has checked it
	limits := bounded(want.Resources, spec.MoreMemory)
	volumes, mounts := volumesOf(*want, limits)
	env := e.environment(spec)
	cacheVolumes, cacheMounts, cacheEnv := e.caches(spec.Caches)
	p := named(e.Namespace, spec.Key)
	p.Labels = e.labels("build")
	p.Labels[labelApp], p.Labels[labelRun] = app, strconv.Itoa(number)
	p.Spec = corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyNever,
		PriorityClassName:             e.PriorityClass,
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		TerminationGracePeriodSeconds: new(int64(stopGrace / time.Second)),
		NodeSelector:                  want.NodeSelector,
		Tolerations:                   tolerations(want.Tolerations),
		ImagePullSecrets:              pullSecrets(e.loginName(), e.PullSecrets, want.PullSecrets),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: new(true), RunAsUser: new(int64(user)), RunAsGroup: new(int64(user)), FSGroup: new(int64(user)),
			FSGroupChangePolicy: new(corev1.FSGroupChangeOnRootMismatch),
			SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		InitContainers: services(want.Services),
		Containers: []corev1.Container{{
			Name: pods.BuildContainer, Image: image, Command: []string{RunnerPath}, WorkingDir: workspacePath,
			ImagePullPolicy:          corev1.PullIfNotPresent, // it is named by its digest
			Env:                      append(env, cacheEnv...),
			Resources:                limits,
			VolumeMounts:             slices.Concat(mounts, cacheMounts),
			SecurityContext:          confined(),
			TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		}},
		Volumes: slices.Concat(volumes, cacheVolumes),
	}
	if spec.Timeout > 0 {
		p.Spec.ActiveDeadlineSeconds = new(int64((spec.Timeout.Std() + overtime) / time.Second))
	}
	return p
}

func (e *Executor) environment(spec delivery.AttemptSpec) []corev1.EnvVar {
	return []corev1.EnvVar{
		{Name: envServer, Value: spec.ServerURL},
		{Name: envAttempt, Value: spec.Key},
		{Name: envCode, Value: spec.ClaimCode},
		{Name: envWorkspace, Value: jobPath},
		{Name: envImage, Value: "own"},
	}
}

// confined is what every container of ours may do: nothing that its user may not.
func confined() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), Privileged: new(false),
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

// bounded are the resources of the build's container.
func bounded(r delivery.Resources, moreMemory bool) corev1.ResourceRequirements {
	if len(r.Limits) == 0 && len(r.Requests) == 0 {
		r = unsaid
	}
	have := requirements(r)
	if _, ok := have.Limits[corev1.ResourceMemory]; !ok {
		have.Limits[corev1.ResourceMemory] = resource.MustParse(string(unsaid.Limits["memory"]))
	}
	if _, ok := have.Limits[corev1.ResourceEphemeralStorage]; !ok {
		have.Limits[corev1.ResourceEphemeralStorage] = resource.MustParse(string(unsaid.Limits["ephemeral-storage"]))
	}
	// What is not asked for would be asked for in full: a disk's limit is no request.
	if _, ok := have.Requests[corev1.ResourceEphemeralStorage]; !ok {
		some, limit := resource.MustParse("256Mi"), have.Limits[corev1.ResourceEphemeralStorage]
		if limit.Cmp(some) < 0 {
			some = limit
		}
		have.Requests[corev1.ResourceEphemeralStorage] = some
	}
	if moreMemory {
		for _, list := range []corev1.ResourceList{have.Requests, have.Limits} {
			if q, ok := list[corev1.ResourceMemory]; ok {
				list[corev1.ResourceMemory] = *resource.NewQuantity(q.Value()/2*3, q.Format)
			}
		}
	}
	return have
}

func requirements(r delivery.Resources) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{Requests: list(r.Requests), Limits: list(r.Limits)}
}

func list(from map[string]delivery.Quantity) corev1.ResourceList {
	to := corev1.ResourceList{}
	for name, amount := range from {
		if q, err := resource.ParseQuantity(string(amount)); err == nil { // the catalog refused others
			to[corev1.ResourceName(name)] = q
		}
	}
	return to
}

func tolerations(from []delivery.Toleration) []corev1.Toleration {
	var to []corev1.Toleration
	for _, t := range from {
		to = append(to, corev1.Toleration{
			Key: t.Key, Operator: corev1.TolerationOperator(t.Operator), Value: t.Value, Effect: corev1.TaintEffect(t.Effect),
		})
	}
	return to
}

func pullSecrets(own string, lists ...[]string) []corev1.LocalObjectReference {
	var refs []corev1.LocalObjectReference
	if own != "" {
		refs = append(refs, corev1.LocalObjectReference{Name: own})
	}
	for _, name := range slices.Concat(lists...) {
		refs = append(refs, corev1.LocalObjectReference{Name: name})
	}
	return refs
}

// serviceStart is how long a service may take to answer on its port.
const serviceStart = 5 * time.Minute

// services are containers that run from before the build to its end (sidecars, of
// Kubernetes 1.29): they do not keep the pod alive.
func services(from []delivery.PodService) []corev1.Container {
	var to []corev1.Container
	for _, s := range from {
		c := corev1.Container{
			Name: s.Name, Image: s.Image, Command: s.Command, Args: s.Args,
			RestartPolicy:            new(corev1.ContainerRestartPolicyAlways),
			Resources:                requirements(s.Resources),
			SecurityContext:          confined(),
			TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		}
		for _, name := range slices.Sorted(maps.Keys(s.Env)) {
			c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: s.Env[name]})
		}
		if s.Port > 0 {
			c.StartupProbe = &corev1.Probe{
				ProbeHandler:  corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt(s.Port)}},
				PeriodSeconds: 1, FailureThreshold: int32(serviceStart / time.Second),
			}
		}
		to = append(to, c)
	}
	return to
}
