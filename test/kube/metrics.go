//go:build e2e

package kube

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Load is what pods of the namespace are said to use, for autoscalers to go by.
type Load struct{ milli atomic.Int64 }

// Each has every container use so many thousandths of a core from now on.
func (l *Load) Each(millicores int64) { l.milli.Store(millicores) }

const metricsPath = "/apis/metrics.k8s.io/v1beta1"

// Measure has the cluster ask the test what pods use (metrics.k8s.io), until the test's
// end. It skips the test where a cluster is not the project's own, or measures already.
func (n *Namespace) Measure(t testing.TB) *Load {
	t.Helper()
	k := n.FindKubelet(t)
	if k == nil {
		t.Skip("what pods use can be said in the project's own cluster only")
	}
	l := &Load{}
	listener, err := net.Listen("tcp", n.Host+":0")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(n.metrics(l))
	s.Listener.Close()
	s.Listener = listener
	s.StartTLS()
	t.Cleanup(s.Close)
	const port = 443
	n.Create(t, "services", &core.Service{ObjectMeta: meta.ObjectMeta{Name: "metrics"}, Spec: core.ServiceSpec{Ports: []core.ServicePort{{Port: port}}}})
	n.Create(t, "endpoints", &core.Endpoints{ObjectMeta: meta.ObjectMeta{Name: "metrics"}, Subsets: []core.EndpointSubset{{
		Addresses: []core.EndpointAddress{{IP: n.Host}}, Ports: []core.EndpointPort{{Port: int32(listener.Addr().(*net.TCPAddr).Port)}},
	}}})
	// Were it left behind, no namespace of the cluster could be deleted any more.
	kubectl := fmt.Sprintf("%q kubectl --kubeconfig %q", k.program, n.Kubeconfig)
	hold(t, fmt.Sprintf(`%s create -f - >/dev/null <<'END'
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec:
  group: metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {namespace: %s, name: metrics, port: %d}
END`, kubectl, n.Name, port), kubectl+" delete apiservice v1beta1.metrics.k8s.io >/dev/null")
	return l
}

// metrics answers what an autoscaler asks.
func (n *Namespace) metrics(l *Load) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.Trim(r.URL.Path, "/") == strings.Trim(metricsPath, "/") {
			_ = json.NewEncoder(w).Encode(meta.APIResourceList{
				TypeMeta: meta.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: "metrics.k8s.io/v1beta1",
				APIResources: []meta.APIResource{{Name: "pods", Namespaced: true, Kind: "PodMetrics", Verbs: meta.Verbs{"get", "list"}}},
			})
			return
		}
		var pods core.PodList
		client, err := n.api.core()
		if err == nil && strings.Contains(r.URL.Path, "/namespaces/"+n.Name+"/") {
			err = client.Get().Namespace(n.Name).Resource("pods").Do(r.Context()).Into(&pods)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		items := []any{}
		for _, p := range pods.Items {
			items = append(items, l.of(p))
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": map[string]any{}, "items": items})
	}
}

func (l *Load) of(p core.Pod) map[string]any {
	var containers []any
	for _, c := range p.Spec.Containers {
		containers = append(containers, map[string]any{"name": c.Name, "usage": map[string]string{"cpu": fmt.Sprintf("%dm", l.milli.Load()), "memory": "10Mi"}})
	}
	return map[string]any{
		"metadata":  map[string]any{"name": p.Name, "namespace": p.Namespace, "labels": p.Labels},
		"timestamp": time.Now().UTC().Format(time.RFC3339), "window": "1s", "containers": containers,
	}
}
