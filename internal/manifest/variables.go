package manifest

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// variables are the App's own, and those that it has on one machine too; by name, so
// that equal ones are written alike.
func (p pod) variables() []corev1.EnvVar {
	all := map[string]corev1.EnvVar{}
	set := func(name, value string) { all[name] = corev1.EnvVar{Name: name, Value: literal(value)} }
	set("HOME", p.config.Home)
	set("LANG", "C.UTF-8")
	for name, value := range p.config.Variables {
		set(name, value)
	}
	for _, ref := range p.workload.Config {
		if ref.Key != "" {
			all[ref.Variable] = corev1.EnvVar{Name: ref.Variable, ValueFrom: keyOf(ref.ConfigMap, ref.Secret, ref.Key)}
		}
	}
	set("SHIPLOCK_APP", p.app)
	set("SHIPLOCK_ENV", p.env)
	set("SHIPLOCK_REVISION", string(p.revision.ID))
	if p.config.Port > 0 {
		set("PORT", strconv.Itoa(p.config.Port))
	}
	list := make([]corev1.EnvVar, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[name])
	}
	return list
}

func keyOf(configMap, secret, key string) *corev1.EnvVarSource {
	if configMap != "" {
		return &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: configMap}, Key: key,
		}}
	}
	return &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: key,
	}}
}

// objects are those whose keys all become variables.
func (p pod) objects() []corev1.EnvFromSource {
	var list []corev1.EnvFromSource
	for _, ref := range p.workload.Config {
		switch {
		case ref.Key != "":
		case ref.ConfigMap != "":
			list = append(list, corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: ref.ConfigMap}}})
		default:
			list = append(list, corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: ref.Secret}}})
		}
	}
	return list
}

// literal keeps Kubernetes from putting variables in the place of $(NAME).
func literal(s string) string { return strings.ReplaceAll(s, "$", "$$") }
