package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/kube"
)

// prerequisites makes what an attempt's pod needs to be there before it, and lasts.
func (e *Executor) prerequisites(ctx context.Context, places *delivery.CachePlaces) error {
	if name := e.loginName(); name != "" {
		if err := e.ensure(ctx, "secrets", e.login(name)); err != nil {
			return fmt.Errorf("make the Secret %s for pulling images: %w", name, err)
		}
	}
	if e.Cache == nil || places == nil {
		return nil
	}
	for _, domain := range places.Read {
		claim := e.claim(domain, places.Stack)
		if err := e.ensure(ctx, claims, claim); err != nil {
			return fmt.Errorf("make the volume %s of caches: %w", claim.Name, err)
		}
	}
	return nil
}

// ensure makes an object unless there is one of its name; it asks once.
func (e *Executor) ensure(ctx context.Context, res string, o kube.Object) error {
	id := res + "/" + o.GetName()
	e.mu.Lock()
	known := e.there[id]
	e.mu.Unlock()
	if known {
		return nil
	}
	if err := e.Cluster.Create(ctx, res, o); err != nil && delivery.KindOf(err) != delivery.Conflict {
		return err
	}
	e.mu.Lock()
	e.there[id] = true
	e.mu.Unlock()
	return nil
}

func (e *Executor) labels(component string) map[string]string {
	return map[string]string{labelManagedBy: managedBy, labelComponent: component, labelInstallation: e.Installation}
}

// claimName names the volume of a trust domain's caches for a Stack. Domains have no
// dot: no two of them and their Stacks share a name, and so a volume.
func claimName(domain, stack string) string { return "shiplock-cache-" + domain + "." + stack }

func (e *Executor) claim(domain, stack string) *corev1.PersistentVolumeClaim {
	size := resource.MustParse(string(e.Cache.Size)) // New has parsed it
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: claimName(domain, stack), Namespace: e.Namespace, Labels: e.labels("cache")},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: size}},
		},
	}
	claim.Labels[labelDomain], claim.Labels[labelStack] = domain, stack
	if e.Cache.Shared {
		claim.Spec.AccessModes[0] = corev1.ReadWriteMany
	}
	if e.Cache.StorageClass != "" {
		claim.Spec.StorageClassName = &e.Cache.StorageClass
	}
	return claim
}

// loginName names the Secret by which nodes read from our registry; "" when they need
// none of ours.
func (e *Executor) loginName() string {
	if e.Registry.Username == "" {
		return ""
	}
	return "shiplock-registry-" + e.Installation
}

func (e *Executor) login(name string) *corev1.Secret {
	type entry struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	text, err := json.Marshal(map[string]map[string]entry{"auths": {e.Registry.Host: {e.Registry.Username, e.Registry.Password}}})
	if err != nil {
		panic("kubernetes: a login cannot be encoded: " + err.Error()) // three strings
	}
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: e.Namespace, Labels: e.labels("registry")},
		Type:       corev1.SecretTypeDockerConfigJson,
		Data:       map[string][]byte{corev1.DockerConfigJsonKey: text},
	}
}
