package manifest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/shiplock/shiplock/internal/delivery"
)

// drain is how long an instance that is to end goes on serving: until everybody who
// sends requests knows that it is no endpoint any more.
const drain = 5 * time.Second

// unprivileged is the first port that needs no privilege.
const unprivileged = 1024

// pod is what instances of a revision are made of.
type pod struct {
	place    Place
	app, env string
	revision delivery.Revision
	config   delivery.Config
	workload delivery.Workload
}

// check refuses what cannot be in a cluster.
func (p pod) check() error {
	if _, _, ok := p.logFiles(); p.config.Logs != "" && !ok {
		return delivery.E(delivery.Invalid, fmt.Sprintf("the log files %q are in no folder of their own, which a cluster needs: write logs like logs/*.log", p.config.Logs))
	}
	if p.workload.Ingress.Host != "" && p.config.Port == 0 {
		return delivery.E(delivery.Invalid, p.app+" has an ingress and no port: write port into its Stack or its shiplock.yaml, or remove the ingress")
	}
	for _, amounts := range []map[string]delivery.Quantity{p.workload.Resources.Requests, p.workload.Resources.Limits} {
		for name, amount := range amounts {
			if _, err := resource.ParseQuantity(string(amount)); err != nil {
				return delivery.E(delivery.Invalid, fmt.Sprintf("%q is no amount of %s: write one such as 500m or 64Gi", amount, name))
			}
		}
	}
	return nil
}

// serving is the pod of an instance that takes requests.
func (p pod) serving() corev1.PodSpec {
	s := p.spec(p.container("./start.sh", p.env))
	c := &s.Containers[0]
	p.probe(c)
	if p.config.Port > 0 {
		c.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: int64(drain / time.Second)}}}
	}
	s.TerminationGracePeriodSeconds = new(int64(seconds(p.grace())))
	if logs := p.logWriter(); logs != nil {
		s.InitContainers = []corev1.Container{*logs}
	}
	return s
}

func (p pod) grace() time.Duration {
	g := p.workload.Grace.Or(delivery.DefaultGrace)
	if p.config.Port > 0 {
		g += drain
	}
	return g
}

func (p pod) healthTimeout() time.Duration { return p.config.Health.Timeout.Or(30 * time.Second) }

// spec is what a pod of the revision has around its container.
func (p pod) spec(c corev1.Container) corev1.PodSpec {
	w := p.workload
	volumes, mounts := p.volumes()
	c.VolumeMounts = mounts
	s := corev1.PodSpec{
		Containers: []corev1.Container{c}, Volumes: volumes,
		// Variables of other Services would be in the way of the App's own.
		EnableServiceLinks:           new(false),
		ServiceAccountName:           w.ServiceAccount,
		AutomountServiceAccountToken: new(w.ServiceAccount != ""),
		SecurityContext:              p.security(),
		NodeSelector:                 w.NodeSelector,
	}
	secrets := slices.Concat(p.place.PullSecrets, w.PullSecrets)
	for i, name := range secrets {
		if !slices.Contains(secrets[:i], name) {
			s.ImagePullSecrets = append(s.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
		}
	}
	for _, t := range w.Tolerations {
		s.Tolerations = append(s.Tolerations, corev1.Toleration{
			Key: t.Key, Operator: corev1.TolerationOperator(t.Operator), Value: t.Value, Effect: corev1.TaintEffect(t.Effect),
		})
	}
	return s
}

// security confines the whole pod, as the restricted standard of Kubernetes asks for.
// The user is given by his number: the node cannot tell from a name that it is not root.
func (p pod) security() *corev1.PodSecurityContext {
	user := int64(p.workload.Security.RunAsUser)
	if user == 0 {
		user = delivery.DefaultUser
	}
	s := &corev1.PodSecurityContext{
		RunAsNonRoot: new(true), RunAsUser: new(user), RunAsGroup: new(user),
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	if p.config.Port > 0 && p.config.Port < unprivileged {
		s.Sysctls = []corev1.Sysctl{{Name: "net.ipv4.ip_unprivileged_port_start", Value: "0"}}
	}
	return s
}

// confined is what any container of ours may do.
func confined(writable bool) *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(!writable),
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

// container runs a program of the revision's image, with the same surroundings that
// the App has on one machine.
func (p pod) container(command ...string) corev1.Container {
	for i, word := range command {
		command[i] = literal(word)
	}
	c := corev1.Container{
		Name: p.app, Image: p.image(), ImagePullPolicy: corev1.PullIfNotPresent,
		Command: command, WorkingDir: p.config.Home, Env: p.variables(), EnvFrom: p.objects(),
		Resources: corev1.ResourceRequirements{
			Requests: amounts(p.workload.Resources.Requests), Limits: amounts(p.workload.Resources.Limits),
		},
		SecurityContext: confined(p.workload.Security.WritableRoot),
	}
	if p.config.Port > 0 {
		c.Ports = append(c.Ports, corev1.ContainerPort{Name: portHTTP, ContainerPort: int32(p.config.Port), Protocol: corev1.ProtocolTCP})
	}
	if m := p.workload.Metrics.Port; m > 0 && m != p.config.Port {
		c.Ports = append(c.Ports, corev1.ContainerPort{Name: portMetrics, ContainerPort: int32(m), Protocol: corev1.ProtocolTCP})
	}
	return c
}

func (p pod) image() string {
	return strings.TrimSuffix(p.place.Registry, "/") + "/" + p.revision.Repository + "@" + string(p.revision.Artifact)
}

// amounts are those that check has found good.
func amounts(list map[string]delivery.Quantity) corev1.ResourceList {
	if len(list) == 0 {
		return nil
	}
	all := make(corev1.ResourceList, len(list))
	for name, amount := range list {
		q, err := resource.ParseQuantity(string(amount))
		if err != nil {
			continue
		}
		all[corev1.ResourceName(name)] = q
	}
	return all
}
