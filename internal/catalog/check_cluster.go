package catalog

import (
	"fmt"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

func checkCluster(name string, c delivery.Cluster, bad report) {
	if name != "" {
		bad.err("metadata.name", delivery.CheckLabel("a cluster", name))
	}
	if strings.ContainsAny(c.Kubeconfig, "\n\x00") {
		bad("spec.kubeconfig", "kubeconfig is the path of a file on the server, not its content: write the file there, or keep it with `shiplock secret set` and name it as kubeconfigSecret")
	}
	if c.KubeconfigSecret != "" {
		bad.err("spec.kubeconfigSecret", delivery.CheckSecretName(c.KubeconfigSecret))
	}
	if c.Kubeconfig != "" && c.KubeconfigSecret != "" {
		bad("spec.kubeconfigSecret", "kubeconfig and kubeconfigSecret both say how to reach the cluster: keep one of them")
	}
	if c.Context != "" && c.Kubeconfig == "" && c.KubeconfigSecret == "" {
		bad("spec.context", "context has no effect without kubeconfig: name the file that it is of")
	}
}

// checkClusters holds Clusters, and the Environments in them, to what keeps their
// objects apart.
func (s *Set) checkClusters(bad func(kind, name string) report) {
	type reach struct{ kubeconfig, secret, context string }
	known := map[reach]string{}
	for _, name := range sorted(s.Clusters) {
		c := s.Clusters[name]
		at := reach{c.Kubeconfig, c.KubeconfigSecret, c.Context}
		if other, ok := known[at]; ok {
			bad(KindCluster, name)("spec", fmt.Sprintf("Cluster %s is the same cluster: keep one of them", clip(other)))
			continue
		}
		known[at] = name
	}
	taken := map[string]string{} // by cluster/namespace
	for _, e := range s.Ranked() {
		if e.Cluster == "" {
			continue
		}
		report := bad(KindEnvironment, e.Name)
		if _, ok := s.Clusters[e.Cluster]; !ok {
			report("spec.cluster", fmt.Sprintf("there is no Cluster %q%s", clip(e.Cluster), DidYouMean(e.Cluster, keys(s.Clusters))))
			continue
		}
		place := e.Cluster + "/" + e.Namespace
		if other, ok := taken[place]; ok {
			report("spec.namespace", fmt.Sprintf("namespace %s of Cluster %s is Environment %s's: choose another, since apps have the same names in both", e.Namespace, e.Cluster, other))
			continue
		}
		taken[place] = e.Name
	}
	s.checkCanaryNames(len(taken) > 0, bad)
}

// checkCanaryNames refuses two Apps whose objects would have the same name.
func (s *Set) checkCanaryNames(onClusters bool, bad func(kind, name string) report) {
	for _, name := range sorted(s.Apps) {
		base, ok := strings.CutSuffix(name, delivery.CanarySuffix)
		if _, both := s.Apps[base]; onClusters && ok && both {
			bad(KindApp, name)("metadata.name", fmt.Sprintf("%s is what the canary of App %s is called in a cluster: choose another name", name, base))
		}
	}
}
