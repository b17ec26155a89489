//go:build e2e

// Package causes tests that what a real cluster says of an app becomes the right Cause.
package causes

import (
	"errors"
	"strings"
	"testing"
	"time"

	admission "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/diagnose/workload"
	clusters "github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/test/evidence"
	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/kube"
)

type change func(*corev1.PodSpec)

// deployment runs a script of busybox, which is healthy when it accepts connections.
func deployment(app, script string, changes ...change) *appsv1.Deployment {
	labels := map[string]string{"app": app}
	d := &appsv1.Deployment{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: metav1.ObjectMeta{Name: app, Labels: labels}}
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	d.Spec.Template.Labels = labels
	c := corev1.Container{Name: app, Image: "busybox:1", Command: []string{"sh", "-c", script}, Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}
	connects := corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("http")}}
	c.StartupProbe = &corev1.Probe{ProbeHandler: connects, PeriodSeconds: 1, FailureThreshold: 60}
	d.Spec.Template.Spec = corev1.PodSpec{TerminationGracePeriodSeconds: new(int64(0)), Containers: []corev1.Container{c}}
	for _, change := range changes {
		change(&d.Spec.Template.Spec)
	}
	return d
}

func image(name string) change { return func(s *corev1.PodSpec) { s.Containers[0].Image = name } }

func command(words ...string) change {
	return func(s *corev1.PodSpec) { s.Containers[0].Command = words }
}

func limits(name corev1.ResourceName, amount string) change {
	return func(s *corev1.PodSpec) {
		s.Containers[0].Resources.Limits = corev1.ResourceList{name: resource.MustParse(amount)}
	}
}

func startsWithin(seconds int32) change {
	return func(s *corev1.PodSpec) { s.Containers[0].StartupProbe.FailureThreshold = seconds }
}

func volume(source corev1.VolumeSource) change {
	return func(s *corev1.PodSpec) {
		s.Volumes = append(s.Volumes, corev1.Volume{Name: "some", VolumeSource: source})
		s.Containers[0].VolumeMounts = append(s.Containers[0].VolumeMounts, corev1.VolumeMount{Name: "some", MountPath: "/some"})
	}
}

func variable(source corev1.EnvVarSource) change {
	return func(s *corev1.PodSpec) {
		s.Containers[0].Env = append(s.Containers[0].Env, corev1.EnvVar{Name: "SOME", ValueFrom: &source})
	}
}

func beside(script string, policy *corev1.ContainerRestartPolicy) change {
	return func(s *corev1.PodSpec) {
		s.InitContainers = []corev1.Container{{Name: "before", Image: "busybox:1", Command: []string{"sh", "-c", script}, RestartPolicy: policy}}
	}
}

func checked(set func(*corev1.Container)) change {
	return func(s *corev1.PodSpec) { set(&s.Containers[0]) }
}

const serving = "mkdir /www; exec httpd -f -v -p 8080 -h /www"

// What a cluster says of an app is what its Cause is made of, whatever keeps it from
// running.
func TestClusterCauses(t *testing.T) {
	n := kube.Cluster(t)
	n.Create(t, "configmaps", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings"}, Data: map[string]string{"level": "info", "start.sh": "echo hello\n"}})
	n.Create(t, "persistentvolumeclaims", &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "nowhere"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: new("not-there"),
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	})
	s := evidence.Look(t, n)
	settings := corev1.LocalObjectReference{Name: "settings"}
	for name, c := range map[string]struct {
		d      *appsv1.Deployment
		code   string
		says   string // of the Cause's text and evidence
		failed bool
	}{
		"image":      {deployment("image", "", image("registry.example.com/not/there:1")), workload.ImageMissing, "registry.example.com/not/there:1", true},
		"image-name": {deployment("image-name", "", image("Shop:1")), workload.ImageName, "Shop:1", true},
		"crash":      {deployment("crash", "echo loading; echo error: no database here >&2; exit 3"), workload.Crashed, "exit code 3, restarted 3 times: error: no database here", true},
		"signal":     {deployment("signal", "echo before the end; exit 139"), workload.Crashed, "SIGSEGV", false},
		"end":        {deployment("end", "echo bye"), workload.Ended, "must stay in the foreground", false},
		"memory":     {deployment("memory", "x=$(head -c 400000000 /dev/zero | tr '\\0' x); echo ${#x}", limits(corev1.ResourceMemory, "32Mi")), workload.Memory, "32Mi", true},
		"slow":       {deployment("slow", "echo waiting for a database; sleep 600", startsWithin(5)), workload.Startup, "nothing listens on port 8080", true},
		"very-slow":  {deployment("very-slow", "echo waiting for a database; sleep 600", startsWithin(40)), workload.Startup, "restarted 1 time: nothing listens on port 8080", true},
		"port":       {deployment("port", "echo listening on :3000; exec httpd -f -p 3000 -h /"), workload.Port, "the app listens on port 3000, and the startup check asks port 8080", true},
		"loopback":   {deployment("loopback", "echo Server running at http://127.0.0.1:8080/; exec httpd -f -p 127.0.0.1:8080 -h /"), workload.Port, "127.0.0.1:8080", true},
		"unhealthy":  {deployment("unhealthy", serving, checked(func(c *corev1.Container) { c.ReadinessProbe = asks("/healthz") })), workload.Readiness, "GET /healthz on port 8080 answered 404", false},
		"dead": {deployment("dead", "httpd -p 8080 -h /; sleep 4; killall httpd; sleep 600", checked(func(c *corev1.Container) {
			c.LivenessProbe = c.StartupProbe.DeepCopy()
			c.LivenessProbe.FailureThreshold = 2
		})), workload.Liveness, "the liveness check of dead fails, restarted", false},
		"root":           {deployment("root", serving, func(s *corev1.PodSpec) { s.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: new(true)} }), workload.Root, "root", true},
		"no-command":     {deployment("no-command", "", command("./start.sh", "prod")), workload.Command, "./start.sh is not in the image", true},
		"not-executable": {deployment("not-executable", "", command("/etc/passwd")), workload.Command, "/etc/passwd", true},
		"no-interpreter": {deployment("no-interpreter", "", command("/some/start.sh"), volume(corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: settings, DefaultMode: new(int32(0o755))}})), workload.Architecture, "/some/start.sh", true},
		"no-configmap": {deployment("no-configmap", serving, func(s *corev1.PodSpec) {
			s.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "not-there"}}}}
		}), workload.Configuration, "the ConfigMap not-there is not there", true},
		"no-key":     {deployment("no-key", serving, variable(corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: settings, Key: "color"}})), workload.Configuration, "the ConfigMap settings has no key color", true},
		"no-secret":  {deployment("no-secret", serving, volume(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "not-there"}})), workload.Configuration, "the Secret not-there is not there", true},
		"no-file":    {deployment("no-file", serving, volume(corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: settings, Items: []corev1.KeyToPath{{Key: "color", Path: "color"}}}})), workload.Configuration, "no key color", true},
		"no-claim":   {deployment("no-claim", serving, volume(corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "not-there"}})), workload.Configuration, "the PersistentVolumeClaim not-there is not there", true},
		"unbound":    {deployment("unbound", serving, volume(corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "nowhere"}})), workload.Unbound, "unbound immediate PersistentVolumeClaims", false},
		"no-account": {deployment("no-account", serving, func(s *corev1.PodSpec) { s.ServiceAccountName = "not-there" }), workload.Configuration, "the ServiceAccount not-there is not there", true},
		"no-room": {deployment("no-room", serving, func(s *corev1.PodSpec) {
			s.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("64")}
		}), workload.Unschedulable, "too little cpu is left on 1 of 1 nodes (the pod asks for 64)", false},
		"no-node": {deployment("no-node", serving, func(s *corev1.PodSpec) { s.NodeSelector = map[string]string{"pool": "gpu"} }), workload.Unschedulable, "pool=gpu", false},
		"init":    {deployment("init", serving, beside("echo error: no schema; exit 4", nil)), workload.Init, "the init container before ended with exit code 4, restarted 3 times: error: no schema", true},
		"sidecar": {deployment("sidecar", serving, beside("echo error: no upstream; exit 5", new(corev1.ContainerRestartPolicyAlways))), workload.Sidecar, "the sidecar before ended with exit code 5", false},
	} {
		n.Create(t, "deployments", c.d)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cause := await(t, s, name, c.code, c.failed)
			said(t, cause, c.says)
		})
	}
}

func asks(path string) *corev1.Probe {
	return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromString("http")}}, PeriodSeconds: 1}
}

// await waits until an app's Cause has a code, and with failed until it is given up.
func await(t *testing.T, s *evidence.Sight, app, code string, failed bool) *delivery.Cause {
	t.Helper()
	var found *delivery.Cause
	s.Await(t, app, app, func(c *delivery.Cause, over bool) bool {
		found = c
		return c != nil && c.Code == code && (over || !failed)
	})
	return found
}

// said checks that a Cause says what it should, in both languages and with what to do.
func said(t *testing.T, c *delivery.Cause, what string) {
	t.Helper()
	if all := c.Text + "\n" + strings.Join(c.Evidence, "\n"); !strings.Contains(all, what) {
		t.Errorf("it says %q, and not %q", all, what)
	}
	if zh := c.In(phrase.Chinese); c.Next == "" || zh.Text == c.Text || zh.Next == c.Next {
		t.Errorf("what to do is %q; in Chinese it says %q, %q", c.Next, zh.Text, zh.Next)
	}
	if len(c.Evidence) == 0 {
		t.Error("it has no evidence")
	}
}

// The rules of a namespace refuse pods, and the Cause says which.
func TestClusterCausesOfNamespaces(t *testing.T) {
	memory := func(amount string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(amount)}
	}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "small"}}
	quota.Spec.Hard = corev1.ResourceList{corev1.ResourceLimitsMemory: resource.MustParse("16Mi")}
	ranges := &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: "small"}}
	ranges.Spec.Limits = []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer, Max: memory("16Mi")}}
	for name, c := range map[string]struct {
		resource string
		rule     runtime.Object
		d        *appsv1.Deployment
		code     string
		says     string
		failed   bool
	}{
		"quota":    {"resourcequotas", quota, deployment("quota", serving, limits(corev1.ResourceMemory, "64Mi")), workload.Quota, "limits.memory is short by 48Mi (64Mi asked for, 0 of 16Mi used)", false},
		"unstated": {"resourcequotas", quota.DeepCopy(), deployment("unstated", serving), workload.Unstated, "must specify limits.memory for: unstated", true},
		"range":    {"limitranges", ranges, deployment("range", serving, limits(corev1.ResourceMemory, "64Mi")), workload.Limits, "maximum memory usage per Container is 16Mi, but limit is 64Mi", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := kube.Cluster(t)
			n.Create(t, c.resource, c.rule)
			s := evidence.Look(t, n)
			n.Create(t, "deployments", c.d)
			said(t, await(t, s, name, c.code, c.failed), c.says)
		})
	}
}

// What an API server refuses is told from its own words.
func TestClusterRefuses(t *testing.T) {
	n := kube.Cluster(t)
	client, err := clusters.Connect(clusters.Config{Kubeconfig: n.Kubeconfig, UserAgent: "shiplock-test"})
	if err != nil {
		t.Fatal(err)
	}
	shop := deployment("shop", serving, limits(corev1.ResourceMemory, "16Mi"))
	n.Create(t, "deployments", shop)
	apply := func(gvr schema.GroupVersionResource, o runtime.Object, namespace string) error {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{Object: fields}
		u.SetNamespace(namespace)
		unstructured.RemoveNestedField(u.Object, "status")
		_, err = clusters.Apply{Manager: "shiplock", Force: true, DryRun: true}.Do(t.Context(), client, gvr, u)
		return err
	}
	forbid(t, n)
	deployments := appsv1.SchemeGroupVersion.WithResource("deployments")
	judged, unjudged := deployment("judged", serving), deployment("unjudged", serving)
	judged.Labels, unjudged.Labels = map[string]string{"judge": "policy"}, map[string]string{"judge": "nobody"}
	other := deployment("shop", serving)
	other.Spec.Selector.MatchLabels = map[string]string{"app": "shop", "track": "stable"}
	other.Spec.Template.Labels = other.Spec.Selector.MatchLabels
	wrong := deployment("wrong", serving, limits(corev1.ResourceMemory, "16Mi"))
	wrong.Spec.Template.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("32Mi")}
	for name, c := range map[string]struct {
		err  error
		code string
		says string
	}{
		"immutable": {apply(deployments, other, n.Name), workload.Immutable, "the field spec.selector of Deployment shop cannot be changed"},
		"invalid":   {apply(deployments, wrong, n.Name), workload.Invalid, "must be less than or equal to memory limit of 16Mi"},
		"policy":    {inTime(func() error { return apply(deployments, judged, n.Name) }), workload.Policy, "every Deployment needs an owner"},
		"webhook":   {inTime(func() error { return apply(deployments, unjudged, n.Name) }), workload.Away, "judge.test.shiplock.dev"},
		"namespace": {apply(deployments, deployment("shop", serving), "not-there"), workload.Namespace, "the namespace not-there is not there"},
		"kind": {apply(schema.GroupVersionResource{Group: "monitoring.coreos.com", Version: "v1", Resource: "servicemonitors"},
			&metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "monitoring.coreos.com/v1", Kind: "ServiceMonitor"}, ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, n.Name), workload.Kind, "the cluster does not know the kind of"},
	} {
		if c.err == nil {
			t.Errorf("%s: it is taken", name)
			continue
		}
		known, ok := errors.AsType[*delivery.Error](c.err)
		if !ok {
			t.Errorf("%s: %v", name, c.err)
			continue
		}
		cause, final := workload.Refused("Deployment shop", n.Name, known.Msg)
		t.Logf("%s: %s", name, cause.Text)
		if cause.Code != c.code || final != (c.code != workload.Away) {
			t.Errorf("%s: %s (final %v) of %v", name, cause.Code, final, c.err)
		}
		said(t, &cause, c.says)
	}
}

// inTime tries until rules that were just made are in force.
func inTime(try func() error) (err error) {
	harness.Eventually(20*time.Second, func() bool { err = try(); return err != nil })
	return err
}

// forbid has a policy refuse Deployments of one label in the namespace, and nobody answer
// for those of another.
func forbid(t *testing.T, n *kube.Namespace) {
	t.Helper()
	here := &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": n.Name}}
	rules := func(version string) admission.RuleWithOperations {
		return admission.RuleWithOperations{
			Operations: []admission.OperationType{admission.Create},
			Rule:       admission.Rule{APIGroups: []string{"apps"}, APIVersions: []string{version}, Resources: []string{"deployments"}},
		}
	}
	n.Beside(t, "validatingadmissionpolicies", &admission.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name},
		Spec: admission.ValidatingAdmissionPolicySpec{
			FailurePolicy:    new(admission.Fail),
			MatchConstraints: &admission.MatchResources{ResourceRules: []admission.NamedRuleWithOperations{{RuleWithOperations: rules("v1")}}},
			Validations: []admission.Validation{{
				Expression: `!has(object.metadata.labels) || !("judge" in object.metadata.labels) || object.metadata.labels["judge"] != "policy"`, Message: "every Deployment needs an owner",
			}},
		},
	})
	n.Beside(t, "validatingadmissionpolicybindings", &admission.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name},
		Spec: admission.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: n.Name, ValidationActions: []admission.ValidationAction{admission.Deny},
			MatchResources: &admission.MatchResources{NamespaceSelector: here},
		},
	})
	n.Beside(t, "validatingwebhookconfigurations", &admission.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name},
		Webhooks: []admission.ValidatingWebhook{{
			Name: "judge.test.shiplock.dev", FailurePolicy: new(admission.Fail), SideEffects: new(admission.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"}, NamespaceSelector: here, TimeoutSeconds: new(int32(2)),
			ObjectSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"judge": "nobody"}},
			ClientConfig:   admission.WebhookClientConfig{Service: &admission.ServiceReference{Namespace: n.Name, Name: "nobody"}},
			Rules:          []admission.RuleWithOperations{rules("v1")},
		}},
	})
}
