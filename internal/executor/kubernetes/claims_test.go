//go:build e2e

package kubernetes

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/test/harness"
	testkube "github.com/shiplock/shiplock/test/kube"
)

// The caches of an App that is no more go after a while, and no others; should it be
// back, its builds have new ones.
func TestClusterCachesOfRemovedApps(t *testing.T) {
	n := testkube.Cluster(t)
	cluster, err := kube.Connect(kube.Config{Kubeconfig: n.Kubeconfig})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	apps := map[string]bool{"shop": true, "gone": true}
	executor := func(installation string) *Executor {
		e, err := New(Config{
			Cluster: cluster, Namespace: n.Name, Installation: installation, Cache: &Claims{Size: "1Mi"},
			AppThere: func(_ context.Context, app string) (bool, error) { return apps[app], nil },
			Now:      func() time.Time { return now },
		})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	ours, others := executor("ours"), executor("others")
	build := func(e *Executor, app, stack string) {
		t.Helper()
		read, publish := delivery.CacheDomains(app, false)
		if err := e.prerequisites(t.Context(), &delivery.CachePlaces{Stack: stack, Read: read, Publish: publish}); err != nil {
			t.Fatal(err)
		}
	}
	sweep := func() {
		t.Helper()
		if err := ours.sweepClaims(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := func(when string, names ...string) {
		t.Helper()
		var left []string
		if !harness.Eventually(time.Minute, func() bool {
			left = claimsIn(t, cluster, n.Name)
			return slices.Equal(left, names)
		}) {
			t.Fatalf("%s there are %q, want %q", when, left, names)
		}
	}
	build(ours, "shop", "go")
	build(ours, "gone", "go")
	build(others, "gone", "php")
	const shop, gone, protected = "shiplock-cache-app-shop.go", "shiplock-cache-app-gone.go", "shiplock-cache-protected.go"
	all := []string{gone, "shiplock-cache-app-gone.php", shop, protected, "shiplock-cache-protected.php"}
	sweep()
	delete(apps, "gone")
	sweep()
	now = now.Add(claimGrace - time.Second)
	sweep()
	want("within the grace", all...)
	now = now.Add(time.Second)
	sweep()
	want("after it", all[1:]...)
	apps["gone"] = true
	build(ours, "gone", "go")
	sweep()
	want("when it is back", all...)
}

func claimsIn(t *testing.T, cluster *kube.Client, namespace string) []string {
	t.Helper()
	var list corev1.PersistentVolumeClaimList
	if err := cluster.List(t.Context(), claims, namespace, "", &list); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, c := range list.Items {
		names[c.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}
