package delivery

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"time"
)

const (
	// DefaultGrace is how long an instance may take to end.
	DefaultGrace = 30 * time.Second
	// DefaultPreDeploy is how long the command before a release may take.
	DefaultPreDeploy = 10 * time.Minute
	// DefaultUser is the user of the images that are made here.
	DefaultUser = 1000
)

// Workload is what an App asks of Kubernetes beside its image. One machine has none of
// it.
type Workload struct {
	// Resources are the App's own container's.
	Resources Resources `json:"resources,omitzero"`
	Autoscale Autoscale `json:"autoscale,omitzero"`
	Ingress   Ingress   `json:"ingress,omitzero"`
	Metrics   Metrics   `json:"metrics,omitzero"`
	// Config are variables from objects of the Environment's namespace. A key that is
	// named goes before the App's variable of the same name, a whole object behind it.
	Config []ConfigRef  `json:"config,omitempty"`
	Files  []ConfigFile `json:"files,omitempty"`
	// Scratch are folders that start empty and that the App may write to, absolute or
	// relative to its home.
	Scratch []string `json:"scratch,omitempty"`
	// Grace is how long an instance may take to end, once it gets no more requests; zero
	// is 30 s.
	Grace        Duration          `json:"grace,omitempty"`
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	Tolerations  []Toleration      `json:"tolerations,omitempty"`
	// PullSecrets name Secrets of the namespace, to pull the image with.
	PullSecrets []string `json:"pullSecrets,omitempty"`
	// ServiceAccount is of the namespace, and its token is in the container; without one
	// there is no token.
	ServiceAccount string    `json:"serviceAccount,omitempty"`
	Security       Security  `json:"security,omitzero"`
	PreDeploy      PreDeploy `json:"preDeploy,omitzero"`
	// Manifests are the App's own, in its repository.
	Manifests ManifestSource `json:"manifests,omitzero"`
}

// Autoscale has the number of instances follow their load. Max says whether it does.
type Autoscale struct {
	// Min is the fewest instances; zero is the App's replicas.
	Min int `json:"min,omitempty"`
	Max int `json:"max,omitempty"`
	// CPU is the aim, in percent of what an instance requests; zero is 70.
	CPU int `json:"cpu,omitempty"`
}

// Ingress is the way in from outside of the cluster. Host says whether there is one.
type Ingress struct {
	Host string `json:"host,omitempty"`
	// Path is a prefix by segments; empty is "/".
	Path string `json:"path,omitempty"`
	// Class is an IngressClass; empty is the cluster's default.
	Class string `json:"class,omitempty"`
	// TLSSecret holds the host's certificate; without one the App's part is plain HTTP.
	TLSSecret string `json:"tlsSecret,omitempty"`
}

// Metrics is where the App tells its own figures to Prometheus, by a ServiceMonitor.
type Metrics struct {
	// Port is zero for the App's own.
	Port int `json:"port,omitempty"`
	// Path is "/metrics" when it is empty.
	Path string `json:"path,omitempty"`
}

// ConfigRef takes variables from a ConfigMap or a Secret: all of it, or one key.
type ConfigRef struct {
	ConfigMap string `json:"configMap,omitempty"`
	Secret    string `json:"secret,omitempty"`
	// Key is given as Variable; both are empty for the whole object.
	Key      string `json:"key,omitempty"`
	Variable string `json:"variable,omitempty"`
}

// ConfigFile is a file of the container: Content, or a key of a ConfigMap or Secret.
type ConfigFile struct {
	// Path is absolute, or relative to the App's home.
	Path      string `json:"path"`
	Content   string `json:"content,omitempty"`
	ConfigMap string `json:"configMap,omitempty"`
	Secret    string `json:"secret,omitempty"`
	Key       string `json:"key,omitempty"`
}

// Security loosens what is confined without it.
type Security struct {
	// RunAsUser is the user's number, and his group's; zero is 1000.
	RunAsUser int `json:"runAsUser,omitempty"`
	// WritableRoot lets the App write outside of /tmp, its folder of logs and Scratch.
	WritableRoot bool `json:"writableRoot,omitempty"`
}

// PreDeploy is a command of the new image that must succeed before the first instance
// of it starts, such as a migration. Run says whether there is one.
type PreDeploy struct {
	// Run is a POSIX shell script, run with -e in the App's home.
	Run string `json:"run,omitempty"`
	// Timeout is zero for 10 m.
	Timeout Duration `json:"timeout,omitempty"`
}

// ManifestSource is where an App keeps manifests of its own.
type ManifestSource struct {
	// Path is a folder, relative to the App's; ${env} in it is the Environment's name.
	// Empty is none.
	Path string `json:"path,omitempty"`
}

// Says tells whether w asks for anything.
func (w Workload) Says() bool { return !reflect.ValueOf(w).IsZero() }

// Under returns w with what other says laid over it: field by field, resources and
// labels of nodes by name, files by path. References, tolerations and Secrets add up,
// and of references the later one counts.
func (w Workload) Under(other Workload) Workload {
	return Workload{
		Resources: Resources{
			Requests: mergeMaps(w.Resources.Requests, other.Resources.Requests),
			Limits:   mergeMaps(w.Resources.Limits, other.Resources.Limits),
		},
		Autoscale: Autoscale{
			Min: cmp.Or(other.Autoscale.Min, w.Autoscale.Min),
			Max: cmp.Or(other.Autoscale.Max, w.Autoscale.Max),
			CPU: cmp.Or(other.Autoscale.CPU, w.Autoscale.CPU),
		},
		Ingress: Ingress{
			Host:      cmp.Or(other.Ingress.Host, w.Ingress.Host),
			Path:      cmp.Or(other.Ingress.Path, w.Ingress.Path),
			Class:     cmp.Or(other.Ingress.Class, w.Ingress.Class),
			TLSSecret: cmp.Or(other.Ingress.TLSSecret, w.Ingress.TLSSecret),
		},
		Metrics: Metrics{
			Port: cmp.Or(other.Metrics.Port, w.Metrics.Port),
			Path: cmp.Or(other.Metrics.Path, w.Metrics.Path),
		},
		Config:         joinLists(w.Config, other.Config),
		Files:          mergeFiles(w.Files, other.Files),
		Scratch:        joinLists(w.Scratch, other.Scratch),
		Grace:          cmp.Or(other.Grace, w.Grace),
		NodeSelector:   mergeMaps(w.NodeSelector, other.NodeSelector),
		Tolerations:    joinLists(w.Tolerations, other.Tolerations),
		PullSecrets:    joinLists(w.PullSecrets, other.PullSecrets),
		ServiceAccount: cmp.Or(other.ServiceAccount, w.ServiceAccount),
		Security: Security{
			RunAsUser:    cmp.Or(other.Security.RunAsUser, w.Security.RunAsUser),
			WritableRoot: other.Security.WritableRoot || w.Security.WritableRoot,
		},
		PreDeploy: PreDeploy{
			Run:     cmp.Or(other.PreDeploy.Run, w.PreDeploy.Run),
			Timeout: cmp.Or(other.PreDeploy.Timeout, w.PreDeploy.Timeout),
		},
		Manifests: ManifestSource{Path: cmp.Or(other.Manifests.Path, w.Manifests.Path)},
	}
}

// mergeFiles replaces files by path, and adds the new ones behind.
func mergeFiles(under, over []ConfigFile) []ConfigFile {
	kept := slices.DeleteFunc(slices.Clone(under), func(f ConfigFile) bool {
		return slices.ContainsFunc(over, func(o ConfigFile) bool { return o.Path == f.Path })
	})
	return joinLists(kept, over)
}

// joinLists drops what stands in the first list already; of nothing it makes nil, as
// of a list that is not written.
func joinLists[T comparable](first, second []T) []T {
	var joined []T
	for _, v := range slices.Concat(first, second) {
		if !slices.Contains(joined, v) {
			joined = append(joined, v)
		}
	}
	return joined
}

func mergeMaps[V any](under, over map[string]V) map[string]V {
	if len(under)+len(over) == 0 {
		return nil
	}
	merged := make(map[string]V, len(under)+len(over))
	maps.Copy(merged, under)
	maps.Copy(merged, over)
	return merged
}
