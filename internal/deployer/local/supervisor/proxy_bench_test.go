package supervisor

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkProxy is one request through a canary split, caller, proxy and both
// apps in this process.
func BenchmarkProxy(b *testing.B) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer app.Close()
	r := &router{}
	addr := strings.TrimPrefix(app.URL, "http://")
	var pools []pool
	for _, id := range []string{"r1", "r2"} {
		pools = append(pools, pool{version: id, backends: []*backend{{revision: &revision{id: id}, addr: addr}}})
	}
	r.set([]int{75, 25}, pools, "")
	p := newProxy(r, slog.New(slog.DiscardHandler))
	defer p.base.CloseIdleConnections()
	front := httptest.NewServer(p)
	defer front.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	b.SetParallelism(8)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			res, err := client.Get(front.URL)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

func BenchmarkAcquire(b *testing.B) {
	r := &router{}
	pools := []pool{{version: "a", backends: []*backend{{}, {}}}, {version: "b", backends: []*backend{{}}}}
	r.set([]int{75, 25}, pools, "")
	for b.Loop() {
		r.release(r.acquire(nil))
	}
}

func TestRefusedRequestGoesToAnother(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer app.Close()
	dead := httptest.NewServer(nil)
	dead.Close()
	suspect := make(chan struct{}, 1)
	gone := &backend{revision: &revision{id: "gone"}, addr: strings.TrimPrefix(dead.URL, "http://"), suspect: suspect}
	well := &backend{revision: &revision{id: "well"}, addr: strings.TrimPrefix(app.URL, "http://")}
	r := &router{}
	r.set([]int{50, 50}, []pool{{version: "gone", backends: []*backend{gone}}, {version: "well", backends: []*backend{well}}}, "")
	p := newProxy(r, slog.New(slog.DiscardHandler))
	defer p.base.CloseIdleConnections()
	front := httptest.NewServer(p)
	defer front.Close()
	defer http.DefaultClient.CloseIdleConnections()
	for range 4 {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, front.URL, strings.NewReader("once"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK || string(body) != "once" || res.Header.Get(revisionHeader) != "well" {
			t.Errorf("answer: %d %q", res.StatusCode, body)
		}
	}
	if len(suspect) != 1 || gone.revision.retried.Load() != 2 || gone.revision.requests.Load() != 0 || well.revision.requests.Load() != 4 {
		t.Errorf("retried %d, requests %d and %d", gone.revision.retried.Load(), gone.revision.requests.Load(), well.revision.requests.Load())
	}
	if gone.inFlight != 0 || well.inFlight != 0 {
		t.Error("not released")
	}
}
