package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// BenchmarkLogLineToReader measures from a runner's send to the line at an SSE
// reader: 8,000 lines a second in batches of 50, from four jobs with two readers
// each.
func BenchmarkLogLineToReader(b *testing.B) {
	w := newWorld(b)
	w.run()
	latency := make(chan time.Duration, 1<<20)
	var owned sync.WaitGroup
	for range 4 {
		run := w.startRun()
		key, token := w.claim()
		for range 2 {
			in := w.stream("/api/v1/runs/"+string(run.ID)+"/logs/stream", "")
			owned.Go(func() { readLatencies(in, latency) })
		}
		owned.Go(func() { w.chatter(key, token, 2*b.N) })
	}
	b.ResetTimer()
	owned.Wait()
	close(latency)
	var all []time.Duration
	for d := range latency {
		all = append(all, d)
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}

// chatter sends 2,000 lines a second for the given number of batches of 50.
func (w *world) chatter(key, token string, batches int) {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for i := range batches {
		<-tick.C
		batch := api.LogBatch{First: int64(i*50 + 1)}
		for range 50 {
			batch.Lines = append(batch.Lines, api.LogLine{At: time.Now().UnixMicro(), Step: "test", Stream: "out", Text: strings.Repeat("x", 80)})
		}
		w.runner(key, token, "log", batch, 200)
	}
	w.runner(key, token, "reports", api.Reports{Reports: []api.Report{{Seq: 1, Finish: &api.Finish{Outcome: api.OutcomeFailed}}}}, 200)
}

func readLatencies(in *sseReader, out chan<- time.Duration) {
	for {
		e, ok := in.next()
		if !ok || e.name == api.EventEnd {
			return
		}
		var lines []api.LogLine
		if err := json.Unmarshal([]byte(e.data), &lines); err != nil {
			in.t.Error(err)
			return
		}
		for _, l := range lines {
			out <- time.Since(time.UnixMicro(l.At))
		}
	}
}

// BenchmarkStatus500Apps measures the status of 500 apps that run in two
// environments, while one of them changes between any two requests.
func BenchmarkStatus500Apps(b *testing.B) {
	w := newWorld(b)
	var docs []api.Document
	change := &delivery.Change{}
	for i := range 500 {
		name := fmt.Sprintf("app-%03d", i)
		docs = append(docs, api.Document{Kind: "App", Name: name, Spec: json.RawMessage(`{"repo":"http://git/` + name + `","stack":"go-1.26"}`)})
		for _, env := range []string{"dev", "prod"} {
			change.Targets = append(change.Targets, busyTarget(name, env))
		}
	}
	w.ok("POST", "/api/v1/catalog", api.Apply{Manager: "bench", Documents: docs}, nil)
	_, err := w.store.Commit(b.Context(), change)
	w.must(err)
	w.ok("GET", "/api/v1/status", nil, nil)
	var size int64
	for b.Loop() {
		w.ok("POST", "/api/v1/targets/app-007/dev/pause", api.Reason{}, nil)
		size = w.compressed("/api/v1/status")
	}
	b.ReportMetric(float64(size)/1024, "KiB-gzipped")
}

func (w *world) compressed(path string) int64 {
	req, err := http.NewRequestWithContext(w.t.Context(), "GET", w.url+path, nil)
	w.must(err)
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := http.DefaultClient.Do(req)
	w.must(err)
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	w.must(err)
	if res.StatusCode != 200 || res.Header.Get("Content-Encoding") != "gzip" {
		w.t.Fatalf("%d %s", res.StatusCode, res.Header.Get("Content-Encoding"))
	}
	return n
}

// busyTarget has a full history.
func busyTarget(app, env string) *delivery.Target {
	t := &delivery.Target{App: app, Env: env}
	for i := range 20 {
		r := delivery.NewRevision(delivery.Artifact{
			App: app, Digest: delivery.Digest(fmt.Sprintf("sha256:%064d", i)), RunNumber: i + 1,
			Commit: delivery.Commit{SHA: fmt.Sprintf("%040d", i), Branch: env, Title: "a commit of some kind"},
		}, env, delivery.Config{Home: delivery.DefaultHome, Replicas: 2, Variables: map[string]string{"A": "B"}})
		t.History = append(t.History, delivery.Deployed{Revision: r, At: time.Now()})
		t.Observed.Versions = []delivery.ObservedVersion{{Revision: r.ID, Asked: 100, Effective: 100, Ready: 2, Total: 2}}
	}
	return t
}
