package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// sseEvent is one event as a browser sees it.
type sseEvent struct{ name, id, data string }

// sseReader is an open event stream.
type sseReader struct {
	t    testing.TB
	body io.ReadCloser
	in   *bufio.Reader
}

func (w *world) stream(path, lastID string) *sseReader {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), "GET", w.url+path, nil)
	w.must(err)
	req.Header.Set("Authorization", "Bearer "+w.token)
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	res, err := http.DefaultClient.Do(req)
	w.must(err)
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		w.t.Fatalf("%s: %d %s", path, res.StatusCode, res.Header.Get("Content-Type"))
	}
	w.t.Cleanup(func() { res.Body.Close() })
	return &sseReader{t: w.t, body: res.Body, in: bufio.NewReader(res.Body)}
}

// next returns the next event; ok is false at the end of the stream.
func (s *sseReader) next() (e sseEvent, ok bool) {
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			return e, false
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				return e, true
			}
		}
	}
}

func (s *sseReader) history() (delivery.HistoryEntry, string) {
	s.t.Helper()
	e, ok := s.next()
	var h delivery.HistoryEntry
	if !ok || e.name != api.EventHistory || json.Unmarshal([]byte(e.data), &h) != nil {
		s.t.Fatalf("event %+v", e)
	}
	return h, e.id
}

func TestHistoryResumesWithoutGapOrDouble(t *testing.T) {
	w := newWorld(t)
	pause := func(verb string) { w.ok("POST", "/api/v1/targets/shop/dev/"+verb, api.Reason{}, nil) }
	pause("pause")
	path := "/api/v1/events/stream?ref=target/shop/dev&ref=target/shop/prod"
	first := w.stream(path, "")
	h, id := first.history()
	if h.Name != "target.paused" || h.Version != 1 || h.Actor.Name != "admin" {
		t.Errorf("first: %+v", h)
	}
	pause("resume") // while connected
	if h, _ := first.history(); h.Name != "target.resumed" {
		t.Errorf("live: %+v", h)
	}
	first.body.Close()
	w.ok("POST", "/api/v1/targets/shop/prod/pause", api.Reason{}, nil) // while away
	again := w.stream(path, id)
	var names []string
	for range 2 {
		h, _ := again.history()
		names = append(names, h.Ref.ID+" "+h.Name)
	}
	if got := strings.Join(names, ", "); got != "shop/dev target.resumed, shop/prod target.paused" {
		t.Errorf("after resuming: %s", got)
	}
}

func TestFeedNamesWhatChanged(t *testing.T) {
	w := newWorld(t)
	feed := w.stream("/api/v1/events/stream", "")
	w.ok("POST", "/api/v1/targets/shop/dev/pause", api.Reason{}, nil)
	e, _ := feed.next()
	if e.name != api.EventChanged || e.data != `[{"ref":"target/shop/dev","version":1}]` {
		t.Errorf("event %+v", e)
	}
}

// TestLogStream follows a run from its queue to its end, and resumes in the middle.
func TestLogStream(t *testing.T) {
	w := newWorld(t)
	run := w.startRun()
	early := w.stream("/api/v1/runs/shop%231/logs/stream", "") // nothing has started
	w.run()
	key, token := w.claim()
	say := func(first int64, texts ...string) {
		b := api.LogBatch{First: first}
		for _, text := range texts {
			b.Lines = append(b.Lines, api.LogLine{At: 1, Step: "test", Stream: "out", Text: text})
		}
		w.runner(key, token, "log", b, 200)
	}
	say(1, "one", "two")
	if got := early.lines(2); got != "1 one, 2 two" {
		t.Errorf("before the end: %s", got)
	}
	say(3, "three")
	w.runner(key, token, "reports", api.Reports{Reports: []api.Report{{Seq: 1, Finish: &api.Finish{
		Outcome: api.OutcomeFailed, Cause: &delivery.Cause{Code: "step.failed", Text: "test failed"},
	}}}}, 200)
	if got := early.lines(1); got != "3 three" {
		t.Errorf("the last line: %s", got)
	}
	if e, _ := early.next(); e.name != api.EventEnd || e.data != `{"state":"failed","attempt":1}` {
		t.Errorf("end: %+v", e)
	}
	late := w.stream("/api/v1/runs/"+string(run.ID)+"/logs/stream", "1")
	if got := late.lines(2); got != "2 two, 3 three" {
		t.Errorf("resumed after 1: %s", got)
	}
	if e, _ := late.next(); e.name != api.EventEnd {
		t.Errorf("end: %+v", e)
	}
	w.checkLogReads()
}

func (w *world) checkLogReads() {
	w.t.Helper()
	var page api.LogPage
	w.ok("GET", "/api/v1/runs/shop/logs?from=-1", nil, &page)
	if len(page.Lines) != 1 || page.Lines[0].Text != "three" || !page.Closed || page.Attempt != "shop-1-build-1" {
		w.t.Errorf("page: %+v", page)
	}
	res := w.do("GET", "/api/v1/runs/shop/logs.txt", nil, w.token)
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); string(text) != "one\ntwo\nthree\n" {
		w.t.Errorf("text: %q", text)
	}
	var ex api.Explanation
	w.ok("GET", "/api/v1/runs/shop/explain", nil, &ex)
	if ex.Cause == nil || ex.Cause.Text != "test failed" || ex.Run.State != delivery.RunFailed {
		w.t.Errorf("explained as %+v", ex)
	}
	w.runner("shop-1-build-1", strings.Repeat("x", 40), "log", api.LogBatch{}, http.StatusGone)
}

// runner posts to the runners' protocol.
func (w *world) runner(key, token, what string, body any, want int) {
	w.t.Helper()
	res := w.do("POST", "/runner/v1/attempts/"+key+"/"+what, body, token)
	defer res.Body.Close()
	if res.StatusCode != want {
		text, _ := io.ReadAll(res.Body)
		w.t.Fatalf("%s: %d %s, want %d", what, res.StatusCode, text, want)
	}
}

// lines reads events until n lines came.
func (s *sseReader) lines(n int) string {
	s.t.Helper()
	var got []string
	for len(got) < n {
		e, ok := s.next()
		var l []api.LogLine
		if !ok || e.name != api.EventLines || json.Unmarshal([]byte(e.data), &l) != nil {
			s.t.Fatalf("after %v: %+v", got, e)
		}
		for _, line := range l {
			got = append(got, fmt.Sprintf("%d %s", line.N, line.Text))
		}
		if want := fmt.Sprint(l[len(l)-1].N); e.id != want {
			s.t.Errorf("id %s, want the last line's number %s", e.id, want)
		}
	}
	return strings.Join(got, ", ")
}

func TestStreamsEndWithTheServer(t *testing.T) {
	w := newWorld(t)
	w.startRun()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.url = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(ctx, l) }()
	feed := w.stream("/api/v1/events/stream", "")
	logs := w.stream("/api/v1/runs/shop/logs/stream", "")
	stop()
	for _, s := range []*sseReader{feed, logs} {
		if e, more := s.next(); more {
			t.Errorf("event %+v", e)
		}
	}
	select {
	case err := <-served:
		w.must(err)
	case <-time.After(5 * time.Second):
		t.Fatal("the server waits for its streams")
	}
}

func TestQueuedRunsSayWhy(t *testing.T) {
	w := newWorld(t)
	w.startRun()
	second := w.startRun()
	var ex api.Explanation
	w.ok("GET", "/api/v1/runs/"+string(second.ID)+"/explain", nil, &ex)
	if ex.Cause == nil || ex.Cause.Code != "run.queued" || ex.Run.Queue == nil || ex.Run.Queue.Position != 2 || ex.Run.Queue.Total != 2 {
		t.Errorf("explained as %+v", ex)
	}
	var status api.Status
	w.ok("GET", "/api/v1/status", nil, &status)
	if len(status.Runs) != 2 || status.Counts.Queued != 2 || status.Counts.Apps != 1 || status.Environments[0] != "dev" {
		t.Errorf("status %+v", status)
	}
	if res := w.do("GET", "/api/v1/runs/shop", nil, w.token); res != nil {
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if strings.Contains(string(text), "tokenHash") {
			t.Error("the run shows its token's hash")
		}
	}
	w.ok("POST", "/api/v1/runs/shop/cancel", api.Reason{Reason: "enough"}, nil)
	var page api.Page[api.RunSummary]
	w.ok("GET", "/api/v1/runs?state=canceled&limit=1", nil, &page)
	if len(page.Items) != 1 || page.Items[0].ID != second.ID || page.Next != string(second.ID) {
		t.Errorf("canceled: %+v", page)
	}
}

func TestMarks(t *testing.T) {
	for s, want := range map[string]string{
		"run/1": "run/1@0.0", "run/1@4": "run/1@4.0", "target/a/b@4.2": "target/a/b@4.2",
		"run": "", "run/": "", "admission/jobs": "", "run/1@": "", "run/1@-1": "", "run/1@1.x": "",
	} {
		m, ok := parseMark(s)
		if ok != (want != "") || ok && m.String() != want {
			t.Errorf("parseMark(%q) = %v %v, want %q", s, m, ok, want)
		}
	}
}
