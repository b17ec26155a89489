package catalog

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Bounds of a workload.
const (
	maxGrace      = time.Hour
	maxContent    = 64 << 10 // bytes of one file; a ConfigMap holds a MiB
	maxCPUTarget  = 1000     // percent
	maxUserNumber = 1<<31 - 1
)

var (
	hostName  = pattern(`^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	configKey = pattern(`^[-._a-zA-Z0-9]{1,253}$`)
)

// checkWorkloads looks at each layer, and at what the layers come to.
func checkWorkloads(a delivery.App, bad report) {
	const at = "spec.workload"
	checkWorkload(at, a.Workload, bad)
	checkTogether(at, a.Workload, bad)
	all := a.Workload
	for _, env := range sorted(a.Environments) {
		own, place := a.Environments[env].Workload, join("spec.environments", env)+".workload"
		all = all.Under(own)
		if !own.Says() {
			continue
		}
		checkWorkload(place, own, bad)
		merged := a.Workload.Under(own)
		checkTogether(place, merged, bad)
		checkWhole(place, own, merged, bad)
	}
	checkWhole(at, a.Workload, all, bad)
}

func checkWorkload(at string, w delivery.Workload, bad report) {
	bad.resources(at+".resources", w.Resources)
	bad.within(at+".autoscale.min", w.Autoscale.Min, 0, maxReplicas)
	bad.within(at+".autoscale.max", w.Autoscale.Max, 0, maxReplicas)
	bad.within(at+".autoscale.cpu", w.Autoscale.CPU, 0, maxCPUTarget)
	checkIngress(at+".ingress", w.Ingress, bad)
	bad.within(at+".metrics.port", w.Metrics.Port, 0, 65535)
	bad.urlPath(at+".metrics.path", w.Metrics.Path)
	checkConfig(at+".config", w.Config, bad)
	checkFiles(at+".files", w.Files, bad)
	bad.few(at+".scratch", len(w.Scratch))
	for i, p := range w.Scratch {
		bad.inContainer(fmt.Sprintf("%s.scratch[%d]", at, i), p)
	}
	if w.Grace.Std() > maxGrace {
		bad(at+".grace", "grace is at most 1h: an instance that takes longer holds up what replaces it")
	}
	checkNodes(at, w.NodeSelector, w.Tolerations, bad)
	bad.few(at+".pullSecrets", len(w.PullSecrets))
	for i, name := range w.PullSecrets {
		bad.object(fmt.Sprintf("%s.pullSecrets[%d]", at, i), name)
	}
	if w.ServiceAccount != "" {
		bad.object(at+".serviceAccount", w.ServiceAccount)
	}
	bad.within(at+".security.runAsUser", w.Security.RunAsUser, 0, maxUserNumber)
	if p := w.Manifests.Path; p != "" {
		bad.relative(at+".manifests.path", p)
	}
	if strings.ContainsRune(w.PreDeploy.Run, 0) {
		bad(at+".preDeploy.run", "a script cannot hold a NUL character")
	}
	if w.PreDeploy.Timeout.Std() > maxTimeout {
		bad(at+".preDeploy.timeout", fmt.Sprintf("timeout must be more than 0 and at most %s", strings.TrimSuffix(maxTimeout.String(), "0m0s")))
	}
}

// checkTogether looks at what would not work, whichever layer said which part of it.
func checkTogether(at string, w delivery.Workload, bad report) {
	switch scale := w.Autoscale; {
	case scale.Max == 0:
	case scale.Min > scale.Max:
		bad(at+".autoscale.min", fmt.Sprintf("the fewest instances, %d, are more than the most, %d: lower min, or raise max", scale.Min, scale.Max))
	case w.Resources.Requests[cpu] == "" && w.Resources.Limits[cpu] == "":
		bad(at+".autoscale", "the load is measured by the CPU that is requested, and none is: write resources.requests.cpu")
	}
}

// checkWhole refuses what a layer says in vain, since no layer says the rest.
func checkWhole(at string, own, all delivery.Workload, bad report) {
	if own.Autoscale != (delivery.Autoscale{}) && all.Autoscale.Max == 0 {
		bad(at+".autoscale", "max is missing: write the most instances that the load may start")
	}
	if own.Ingress != (delivery.Ingress{}) && all.Ingress.Host == "" {
		bad(at+".ingress", "host is missing: write the name by which the app is reached, such as shop.example.com")
	}
	if own.PreDeploy != (delivery.PreDeploy{}) && strings.TrimSpace(all.PreDeploy.Run) == "" {
		bad(at+".preDeploy", "run is missing: write the command that goes before the first instance, such as ./migrate")
	}
}

func checkIngress(at string, i delivery.Ingress, bad report) {
	if i.Host != "" && (len(i.Host) > 253 || !hostName(i.Host)) {
		bad(at+".host", fmt.Sprintf("%q is not a host: write it like shop.example.com", clip(i.Host)))
	}
	bad.urlPath(at+".path", i.Path)
	for field, name := range map[string]string{"class": i.Class, "tlsSecret": i.TLSSecret} {
		if name != "" {
			bad.object(join(at, field), name)
		}
	}
}

// urlPath refuses what is no path of a URL; an empty one is not written.
func (bad report) urlPath(field, p string) {
	if p != "" && (!strings.HasPrefix(p, "/") || strings.ContainsAny(p, " \r\n\t?#")) {
		bad(field, fmt.Sprintf("%q is not the path of a URL: write it like /api", clip(p)))
	}
}

func checkConfig(at string, refs []delivery.ConfigRef, bad report) {
	bad.few(at, len(refs))
	for i, r := range refs {
		field := fmt.Sprintf("%s[%d]", at, i)
		if r.ConfigMap+r.Secret == "" {
			bad(field, "nothing is referred to: write the name of a configMap or of a secret")
		}
		bad.source(field, r.ConfigMap, r.Secret)
		switch {
		case (r.Key == "") != (r.Variable == ""):
			bad(field, "key and variable belong together: write both, or neither to take everything")
		case r.Key != "":
			bad.key(field+".key", r.Key)
			bad.variable(field+".variable", r.Variable)
		}
		if slices.ContainsFunc(refs[:i], func(other delivery.ConfigRef) bool { return r.Variable != "" && other.Variable == r.Variable }) {
			bad(field+".variable", fmt.Sprintf("variable %s is given twice here: remove one", r.Variable))
		}
	}
}

func checkFiles(at string, files []delivery.ConfigFile, bad report) {
	bad.few(at, len(files))
	for i, f := range files {
		field := fmt.Sprintf("%s[%d]", at, i)
		if f.Path == "" {
			bad(field, "path is missing: write where the file is, such as config/application.yaml")
		} else {
			bad.inContainer(field+".path", f.Path)
		}
		if slices.ContainsFunc(files[:i], func(other delivery.ConfigFile) bool { return other.Path == f.Path }) {
			bad(field+".path", fmt.Sprintf("%s stands here twice: remove one", clip(f.Path)))
		}
		checkFileContent(field, f, bad)
	}
}

func checkFileContent(field string, f delivery.ConfigFile, bad report) {
	switch {
	case f.Content != "" && f.ConfigMap+f.Secret+f.Key != "":
		bad(field, "the file has several sources: keep content, or a key of a configMap or secret")
	case f.Content == "" && f.ConfigMap+f.Secret == "":
		bad(field, "the file has no content: write content, or a key of a configMap or secret")
	case len(f.Content) > maxContent:
		bad(field+".content", fmt.Sprintf("the file has %d bytes, and may have %d: put it into the image, or into a ConfigMap of its own", len(f.Content), maxContent))
	case f.Content != "":
	case f.Key == "":
		bad(field, "key is missing: write which key of the object is the file")
	default:
		bad.source(field, f.ConfigMap, f.Secret)
		bad.key(field+".key", f.Key)
	}
}

// source refuses two objects, and names that are none.
func (bad report) source(at, configMap, secret string) {
	switch {
	case configMap != "" && secret != "":
		bad(at, "there are several sources: keep configMap or secret")
	case configMap != "":
		bad.object(at+".configMap", configMap)
	case secret != "":
		bad.object(at+".secret", secret)
	}
}

func (bad report) key(field, key string) {
	if !configKey(key) {
		bad(field, fmt.Sprintf("%q cannot be a key of a ConfigMap or Secret: use letters, digits, '-', '_' and '.'", clip(key)))
	}
}

// inContainer refuses a path that is none of the container, or is the kernel's. It may
// be relative to the App's home.
func (bad report) inContainer(field, p string) {
	switch {
	case p != path.Clean(p) || p == "." || p == ".." || strings.HasPrefix(p, "../") || strings.ContainsAny(p, ":\\") || strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f }):
		bad(field, fmt.Sprintf("%q is not a path of the container: write it like /etc/shop/ca.pem, or relative to the app's home like config/application.yaml", clip(p)))
	case p == "/" || nested(p, "/proc") || nested(p, "/sys") || nested(p, "/dev"):
		bad(field, fmt.Sprintf("%q would hide what the container needs: choose another path", clip(p)))
	}
}
