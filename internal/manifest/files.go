package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	volumeTmp   = "tmp"
	volumeLogs  = "logs"
	volumeFiles = "files"
)

// volumes are the folders that the App may write to, and its files.
func (p pod) volumes() ([]corev1.Volume, []corev1.VolumeMount) {
	m := mounts{home: p.config.Home}
	m.empty(volumeTmp, "/tmp")
	if dir, _, ok := p.logFiles(); ok {
		m.empty(volumeLogs, dir)
	}
	for i, dir := range p.workload.Scratch {
		m.empty(fmt.Sprintf("scratch-%d", i), dir)
	}
	content := p.contents()
	if len(content) > 0 {
		m.volumes = append(m.volumes, corev1.Volume{Name: volumeFiles, VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: p.filesName(content)},
		}}})
	}
	for i, f := range p.workload.Files {
		if f.Key == "" {
			m.file(volumeFiles, contentKey(i, f.Path), f.Path)
			continue
		}
		name := fmt.Sprintf("file-%d", i)
		m.volumes = append(m.volumes, corev1.Volume{Name: name, VolumeSource: object(f.ConfigMap, f.Secret, f.Key)})
		m.file(name, f.Key, f.Path)
	}
	return m.volumes, m.mounts
}

// mounts are volumes with where they are.
type mounts struct {
	home    string
	volumes []corev1.Volume
	mounts  []corev1.VolumeMount
}

// empty adds an empty folder, unless there is one already.
func (m *mounts) empty(name, dir string) {
	at := m.at(dir)
	if slices.ContainsFunc(m.mounts, func(v corev1.VolumeMount) bool { return v.MountPath == at }) {
		return
	}
	m.volumes = append(m.volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	m.mounts = append(m.mounts, corev1.VolumeMount{Name: name, MountPath: at})
}

// file adds one file of a volume. It stays as it is while the pod lives.
func (m *mounts) file(volume, key, file string) {
	m.mounts = append(m.mounts, corev1.VolumeMount{Name: volume, MountPath: m.at(file), SubPath: key, ReadOnly: true})
}

func (m *mounts) at(p string) string {
	if path.IsAbs(p) {
		return p
	}
	return path.Join(m.home, p)
}

func object(configMap, secret, key string) corev1.VolumeSource {
	items := []corev1.KeyToPath{{Key: key, Path: key}}
	if configMap != "" {
		return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: configMap}, Items: items}}
	}
	return corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: secret, Items: items}}
}

// contents are the files that stand in the documents themselves, by key.
func (p pod) contents() map[string]string {
	content := map[string]string{}
	for i, f := range p.workload.Files {
		if f.Key == "" {
			content[contentKey(i, f.Path)] = f.Content
		}
	}
	return content
}

// contentKey is the key of a file in the ConfigMap: its number, since two may have the
// same name in different folders, and its name, for people.
func contentKey(i int, file string) string {
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '-' || r == '_' || r == '.' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z') {
			return r
		}
		return '-'
	}, path.Base(file))
	return fmt.Sprintf("%d-%.200s", i, name)
}

// filesName has a hash of the content in it: each revision has its own files, and the
// pods of an older one keep theirs.
func (p pod) filesName(content map[string]string) string {
	sum := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(content)) {
		fmt.Fprintf(sum, "%d:%s%d:%s", len(key), key, len(content[key]), content[key])
	}
	return p.app + "-files-" + hex.EncodeToString(sum.Sum(nil))[:10]
}

// configMap holds the half's files; nil without any.
func (h half) configMap() *corev1.ConfigMap { return h.filesOf(h.pod) }

func (r renderer) filesOf(p pod) *corev1.ConfigMap {
	content := p.contents()
	if len(content) == 0 {
		return nil
	}
	return &corev1.ConfigMap{
		TypeMeta: kind("v1", "ConfigMap"), ObjectMeta: r.meta(p.filesName(content)),
		Data: content, Immutable: new(true),
	}
}
