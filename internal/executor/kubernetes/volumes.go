package kubernetes

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/shiplock/shiplock/internal/delivery"
)

// volumesOf are the workspace, which is as large as the build's disk may be, and what
// the template names.
func volumesOf(want delivery.BuildPod, r corev1.ResourceRequirements) (volumes []corev1.Volume, mounts []corev1.VolumeMount) {
	add := func(name, path string, readOnly bool, source corev1.VolumeSource) {
		volumes = append(volumes, corev1.Volume{Name: name, VolumeSource: source})
		mounts = append(mounts, corev1.VolumeMount{Name: name, MountPath: path, ReadOnly: readOnly})
	}
	disk := r.Limits[corev1.ResourceEphemeralStorage]
	add("workspace", workspacePath, false, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &disk}})
	for _, v := range want.Volumes {
		add("own-"+v.Name, v.Path, v.ReadOnly || v.ConfigMap != "" || v.Secret != "", source(v))
	}
	return volumes, mounts
}

func source(v delivery.PodVolume) corev1.VolumeSource {
	switch {
	case v.ConfigMap != "":
		return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: v.ConfigMap}}}
	case v.Secret != "":
		return corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: v.Secret}}
	case v.Claim != "":
		return corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: v.Claim, ReadOnly: v.ReadOnly}}
	}
	empty := &corev1.EmptyDirVolumeSource{}
	if q, err := resource.ParseQuantity(string(v.Empty)); err == nil { // the catalog refused others
		empty.SizeLimit = &q
	}
	if v.Memory {
		empty.Medium = corev1.StorageMediumMemory
	}
	return corev1.VolumeSource{EmptyDir: empty}
}

// caches are the volumes of an attempt's caches, by trust domain: the one that it
// publishes to, and, to read only, the others.
func (e *Executor) caches(places *delivery.CachePlaces) (volumes []corev1.Volume, mounts []corev1.VolumeMount, env []corev1.EnvVar) {
	if e.Cache == nil || places == nil {
		return nil, nil, nil
	}
	for i, domain := range places.Read {
		name, path, readOnly := "cache-"+strconv.Itoa(i), cachePath+"/"+domain, domain != places.Publish
		volumes = append(volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claimName(domain, places.Stack), ReadOnly: readOnly},
		}})
		mounts = append(mounts, corev1.VolumeMount{Name: name, MountPath: path, ReadOnly: readOnly})
		if readOnly {
			env = append(env, corev1.EnvVar{Name: envCacheRead, Value: path})
		} else {
			env = append(env, corev1.EnvVar{Name: envCache, Value: path})
		}
	}
	if size, err := resource.ParseQuantity(string(e.Cache.Size)); err == nil {
		// What is being written has to fit beside what is kept.
		env = append(env, corev1.EnvVar{Name: envCacheLimit, Value: strconv.FormatInt(size.Value()/10*8, 10)})
	}
	return volumes, mounts, env
}
