package catalog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func clusterDocument(c delivery.Cluster) delivery.Document { return encode(KindCluster, c.Name, c) }

// What would have two things at one place of a cluster is refused, by document.
func TestPlacesAreKeptApart(t *testing.T) {
	documents := []delivery.Document{
		clusterDocument(delivery.Cluster{Name: "east", Kubeconfig: "/etc/east"}),
		clusterDocument(delivery.Cluster{Name: "east-again", Kubeconfig: "/etc/east"}),
		clusterDocument(delivery.Cluster{Name: "west"}),
		EnvironmentDocument(delivery.Environment{Name: "a", Rank: 1, Cluster: "east", Namespace: "one"}),
		EnvironmentDocument(delivery.Environment{Name: "b", Rank: 2, Cluster: "east", Namespace: "one"}),
		EnvironmentDocument(delivery.Environment{Name: "c", Rank: 3, Cluster: "west", Namespace: "one"}),
		EnvironmentDocument(delivery.Environment{Name: "d", Rank: 4, Cluster: "wast", Namespace: "two"}),
		AppDocument(app("shop", "mall/shop", "")), AppDocument(app("shop-canary", "mall/canary", "")), AppDocument(app("blog-canary", "mall/blog", "")),
	}
	s, err := NewSet(1, documents)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Check()
	if delivery.KindOf(err) != delivery.Invalid {
		t.Fatalf("error is %v", err)
	}
	want := []string{
		`App/shop-canary: metadata.name: shop-canary is what the canary of App shop is called in a cluster: choose another name`,
		`Cluster/east-again: spec: Cluster east is the same cluster: keep one of them`,
		`Environment/b: spec.namespace: namespace one of Cluster east is Environment a's: choose another, since apps have the same names in both`,
		`Environment/d: spec.cluster: there is no Cluster "wast": did you mean "east"?`,
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// On one machine an App may be called what it likes.
func TestCanaryNamesWithoutClusters(t *testing.T) {
	if err := setOf(t, app("shop", "mall/shop", ""), app("shop-canary", "mall/canary", "")).Check(); err != nil {
		t.Error(err)
	}
}

// An Environment keeps its Cluster from being deleted.
func TestClusterInUseCannotBeDeleted(t *testing.T) {
	have := []delivery.Document{
		clusterDocument(delivery.Cluster{Name: "east"}),
		EnvironmentDocument(delivery.Environment{Name: "qa", Cluster: "east", Namespace: "qa"}),
	}
	for i := range have {
		have[i].Manager = "cli:here"
	}
	if _, err := Plan(have, have[1:], "cli:here", true); delivery.KindOf(err) != delivery.Invalid {
		t.Errorf("the Cluster goes: %v", err)
	}
	diff, err := Plan(have, nil, "cli:here", true)
	if err != nil || len(diff.Changes) != 2 {
		t.Errorf("both together: %+v, %v", diff, err)
	}
}
