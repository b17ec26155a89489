package catalog

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// maxPodItems bounds each list and each map of a pod.
const maxPodItems = 20

var (
	objectName    = pattern(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	qualifiedName = pattern(`^([a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)
	nodeValue     = pattern(`^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`)
)

// ownFolders are Shiplock's and the kernel's in a build's container, and ownVolumes
// and ownContainers are names that the executor uses in its pod.
var (
	ownFolders    = [...]string{"/workspace", "/cache", "/shiplock", "/proc", "/sys", "/dev"}
	ownVolumes    = [...]string{"workspace", "cache", "shiplock"}
	ownContainers = [...]string{"build", "runner", "shiplock"}
)

func checkPod(at string, p delivery.BuildPod, bad report) {
	bad.resources(at+".resources", p.Resources)
	checkNodes(at, p.NodeSelector, p.Tolerations, bad)
	bad.few(at+".volumes", len(p.Volumes))
	for i, v := range p.Volumes {
		checkVolume(fmt.Sprintf("%s.volumes[%d]", at, i), v, p.Volumes[:i], bad)
	}
	bad.few(at+".pullSecrets", len(p.PullSecrets))
	for i, name := range p.PullSecrets {
		field := fmt.Sprintf("%s.pullSecrets[%d]", at, i)
		bad.object(field, name)
		if slices.Contains(p.PullSecrets[:i], name) {
			bad(field, fmt.Sprintf("%s stands here twice: remove one", clip(name)))
		}
	}
	bad.few(at+".services", len(p.Services))
	for i, s := range p.Services {
		checkService(fmt.Sprintf("%s.services[%d]", at, i), s, p.Services[:i], bad)
	}
}

func (bad report) few(path string, n int) {
	if n > maxPodItems {
		bad(path, fmt.Sprintf("there are %d entries, and may be %d", n, maxPodItems))
	}
}

// object refuses what cannot name an object of Kubernetes.
func (bad report) object(path, name string) {
	if len(name) > 253 || !objectName(name) {
		bad(path, fmt.Sprintf("%q cannot name an object of Kubernetes: use 1–253 of a–z, 0–9, '-' and '.'", clip(name)))
	}
}

// checkNodes looks at what chooses the nodes of a pod.
func checkNodes(at string, selector map[string]string, tolerations []delivery.Toleration, bad report) {
	bad.few(at+".nodeSelector", len(selector))
	for key, value := range selector {
		if !qualifiedName(key) {
			bad(keyOf(at+".nodeSelector", key), fmt.Sprintf("%q cannot be a label of nodes: write it like disk or example.com/pool", clip(key)))
		}
		if !nodeValue(value) {
			bad(join(at+".nodeSelector", key), fmt.Sprintf("%q cannot be the value of a label: use at most 63 letters, digits, '-', '_' and '.'", clip(value)))
		}
	}
	bad.few(at+".tolerations", len(tolerations))
	for i, t := range tolerations {
		checkToleration(fmt.Sprintf("%s.tolerations[%d]", at, i), t, bad)
	}
}

func checkToleration(at string, t delivery.Toleration, bad report) {
	bad.oneOf(at+".operator", t.Operator, "Equal", "Exists")
	bad.oneOf(at+".effect", t.Effect, "NoSchedule", "PreferNoSchedule", "NoExecute")
	switch {
	case t.Key == "" && t.Operator != "Exists":
		bad(at, "key is missing: write the key of a taint, or operator: Exists alone to tolerate every taint")
	case t.Key != "" && !qualifiedName(t.Key):
		bad(at+".key", fmt.Sprintf("%q cannot be the key of a taint: write it like dedicated or example.com/pool", clip(t.Key)))
	}
	switch {
	case t.Operator == "Exists" && t.Value != "":
		bad(at+".value", "operator: Exists tolerates every value: remove the value, or write operator: Equal")
	case !nodeValue(t.Value):
		bad(at+".value", fmt.Sprintf("%q cannot be the value of a taint: use at most 63 letters, digits, '-', '_' and '.'", clip(t.Value)))
	}
}

func checkVolume(at string, v delivery.PodVolume, before []delivery.PodVolume, bad report) {
	bad.err(at+".name", delivery.CheckLabel("a volume", v.Name))
	for _, other := range before {
		if other.Name == v.Name {
			bad(at+".name", fmt.Sprintf("another volume has the name %q already: choose another", clip(v.Name)))
		}
		if v.Path != "" && nested(v.Path, other.Path) {
			bad(at+".path", fmt.Sprintf("%q and %q are one inside the other: mount them side by side", clip(other.Path), clip(v.Path)))
		}
	}
	if slices.Contains(ownVolumes[:], v.Name) {
		bad(at+".name", fmt.Sprintf("%q is the name of Shiplock's own volume: choose another", v.Name))
	}
	bad.mount(at, v.Path)
	switch n := count(v.ConfigMap != "", v.Secret != "", v.Claim != "", v.Empty != ""); {
	case n == 0:
		bad(at, "the volume has no source: write configMap, secret, claim or empty")
	case n > 1:
		bad(at, "the volume has several sources: keep one of configMap, secret, claim and empty")
	}
	for field, name := range map[string]string{"configMap": v.ConfigMap, "secret": v.Secret, "claim": v.Claim} {
		if name != "" {
			bad.object(join(at, field), name)
		}
	}
	if v.Empty != "" {
		bad.bytes(at+".empty", v.Empty)
	}
	if v.Memory && v.Empty == "" {
		bad(at+".memory", "memory is for an empty folder: write empty, or remove memory")
	}
	if v.ReadOnly && v.Empty != "" {
		bad(at+".readOnly", "an empty folder that is read-only stays empty: remove readOnly")
	}
}

// mount refuses a folder that is none, or that would hide what a build needs.
func (bad report) mount(at, p string) {
	field := at + ".path"
	switch {
	case p == "":
		bad(at, "path is missing: write where the volume is mounted, such as /data")
	case !path.IsAbs(p) || p != path.Clean(p) || strings.ContainsAny(p, ":\\") || strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f }):
		bad(field, fmt.Sprintf("%q is not a folder of the container: write it like /data/models", clip(p)))
	case p == "/" || slices.ContainsFunc(ownFolders[:], func(own string) bool { return nested(p, own) }):
		bad(field, fmt.Sprintf("%q would hide what builds need: choose another folder than /, %s", clip(p), strings.Join(ownFolders[:], ", ")))
	}
}

func checkService(at string, s delivery.PodService, before []delivery.PodService, bad report) {
	bad.err(at+".name", delivery.CheckLabel("a service", s.Name))
	for _, other := range before {
		if other.Name == s.Name {
			bad(at+".name", fmt.Sprintf("another service has the name %q already: choose another", clip(s.Name)))
		}
		if s.Port != 0 && other.Port == s.Port {
			bad(at+".port", fmt.Sprintf("service %s has port %d already: they share one address, so choose another", clip(other.Name), s.Port))
		}
	}
	if slices.Contains(ownContainers[:], s.Name) {
		bad(at+".name", fmt.Sprintf("%q is the name of Shiplock's own container: choose another", s.Name))
	}
	if s.Image == "" {
		bad(at, "image is missing: write what the service runs, such as docker.io/library/postgres:16")
	} else if !imageRef(s.Image) {
		bad(at+".image", fmt.Sprintf("%q is not an image reference", clip(s.Image)))
	}
	for field, words := range map[string][]string{"command": s.Command, "args": s.Args} {
		bad.few(join(at, field), len(words))
		for i, w := range words {
			if strings.ContainsRune(w, 0) {
				bad(fmt.Sprintf("%s.%s[%d]", at, field, i), "an argument cannot hold a NUL character")
			}
		}
	}
	bad.few(at+".env", len(s.Env))
	bad.names(at+".env", s.Env)
	bad.within(at+".port", s.Port, 0, 65535)
	bad.resources(at+".resources", s.Resources)
}
