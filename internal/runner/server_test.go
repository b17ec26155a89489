package runner_test

import (
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	attemptKey = "shop-7-build-1"
	claimCode  = "c0de-of-the-claim"
)

// server speaks the runner protocol and checks what a runner must keep to.
type server struct {
	t    testing.TB
	addr string
	http *http.Server

	mu         sync.Mutex
	assignment api.Assignment
	token      string
	seq        int64
	reports    []api.Report
	lines      []api.LogLine
	gaps       []api.LogGap
	line       int64
	batches    int
	// fullAt is the line that fills the log; 0 is none.
	fullAt int64
	cancel bool
	fenced bool
	// fault, when set, may answer a request instead of the server.
	fault func(path string, n int) (status int)
	asked map[string]int
	// refined answers the files that a runner sends.
	refined api.Refined
	source  []delivery.SourceFile
	// lower makes the log's acknowledgement fall back once.
	lower    int64
	finished chan struct{}
}

func serve(t testing.TB, steps ...delivery.PlanStep) *server {
	t.Helper()
	s := &server{
		t: t, asked: map[string]int{}, finished: make(chan struct{}),
		assignment: api.Assignment{
			Protocol: api.RunnerProtocol, App: "shop", Env: "dev", Run: "shop#7", Heartbeat: 20,
			Plan:  delivery.Plan{Steps: steps},
			Clone: api.Clone{SHA: strings.Repeat("ab", 20), Branch: "dev", Password: "clone-password"},
			Push:  api.Push{Repository: "apps/shop", Password: "push-password"},
		},
	}
	s.up()
	t.Cleanup(s.down)
	return s
}

func script(name, text string) delivery.PlanStep {
	return delivery.PlanStep{Name: name, Kind: delivery.StepRun, Run: text}
}

func (s *server) url() string { return "http://" + s.addr }

// up listens, on the same port as before.
func (s *server) up() {
	addr := s.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.addr = l.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+api.RunnerClaimPath, s.claim)
	mux.HandleFunc("POST "+api.RunnerPlanPath, s.plan)
	mux.HandleFunc("POST "+api.RunnerReportsPath, s.report)
	mux.HandleFunc("POST "+api.RunnerLogPath, s.log)
	s.http = &http.Server{Handler: mux}
	go func(h *http.Server) { _ = h.Serve(l) }(s.http)
}

// sync orders what the test does with what the server does.
func (s *server) sync() {
	s.mu.Lock()
	defer s.mu.Unlock()
}

func (s *server) down() { _ = s.http.Close() }

// enter counts a request, and answers it when it shall not get through.
func (s *server) enter(w http.ResponseWriter, r *http.Request, body any) bool {
	s.asked[r.URL.Path]++
	status := 0
	if s.fault != nil {
		status = s.fault(r.URL.Path, s.asked[r.URL.Path])
	}
	switch {
	case s.fenced:
		status = http.StatusGone
	case status == 0 && s.token != "" && r.Header.Get("Authorization") != "Bearer "+s.token:
		s.t.Errorf("%s with token %q", r.URL.Path, r.Header.Get("Authorization"))
		status = http.StatusForbidden
	}
	if status != 0 {
		w.WriteHeader(status)
		return false
	}
	data, err := io.ReadAll(r.Body)
	if err != nil { // the server goes down
		return false
	}
	if err := json.Unmarshal(data, body); err != nil {
		s.t.Errorf("%s: %v", r.URL.Path, err)
		w.WriteHeader(http.StatusBadRequest)
		return false
	}
	return true
}

func (s *server) claim(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var c api.Claim
	if !s.enter(w, r, &c) {
		return
	}
	if c.Attempt != attemptKey || c.Code != claimCode || s.token != "" && s.token != c.Token || len(c.Token) < 20 {
		s.t.Errorf("claim %+v", c)
	}
	s.token = c.Token
	_ = json.NewEncoder(w).Encode(s.assignment)
}

func (s *server) plan(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var source api.Source
	if !s.enter(w, r, &source) {
		return
	}
	s.source = source.Files
	_ = json.NewEncoder(w).Encode(s.refined)
}

func (s *server) report(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list api.Reports
	if !s.enter(w, r, &list) {
		return
	}
	for _, x := range list.Reports {
		if x.Seq <= s.seq {
			continue
		}
		if x.Seq != s.seq+1 {
			s.t.Errorf("report %d came after %d", x.Seq, s.seq)
		}
		s.seq = x.Seq
		s.reports = append(s.reports, x)
		if x.Finish != nil {
			close(s.finished)
		}
	}
	_ = json.NewEncoder(w).Encode(api.ReportsAck{Seq: s.seq, Cancel: s.cancel})
}

func (s *server) log(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b api.LogBatch
	if !s.enter(w, r, &b) {
		return
	}
	s.batches++
	if b.Gap != nil && b.Gap.To > s.line {
		s.gaps = append(s.gaps, *b.Gap)
		if b.Gap.From != s.line+1 || b.Gap.To != b.First-1 {
			s.t.Errorf("gap %+v after line %d, before %d", *b.Gap, s.line, b.First)
		}
		s.line = b.Gap.To
	}
	if b.First > s.line+1 {
		s.t.Errorf("lines from %d came after %d", b.First, s.line)
	}
	for i, l := range b.Lines {
		if l.N = b.First + int64(i); l.N == s.line+1 {
			s.lines = append(s.lines, l)
			s.line = l.N
		}
	}
	if s.lower > 0 && s.line > s.lower { // it has lost what it had not synced
		s.line, s.lower = s.lower, 0
		s.lines = s.lines[:s.line]
	}
	_ = json.NewEncoder(w).Encode(api.LogAck{Line: s.line, Full: s.fullAt > 0 && s.line >= s.fullAt})
}

// end waits for the job's end and returns it with the steps' last reports.
func (s *server) end() (api.Finish, map[string]delivery.Step) {
	s.t.Helper()
	until(s.t, "the job's end", func() bool {
		select {
		case <-s.finished:
			return true
		default:
			return false
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	steps := map[string]delivery.Step{}
	for _, r := range s.reports {
		if r.Step != nil {
			steps[r.Step.Name] = *r.Step
		}
	}
	return *s.reports[len(s.reports)-1].Finish, steps
}

// text is the log of one stream.
func (s *server) text(stream string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var text []string
	for _, l := range s.lines {
		if l.Stream == stream {
			text = append(text, l.Text)
		}
	}
	return text
}

func fields(data []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for f := range bytes.FieldsSeq(data) {
			if !yield(string(f)) {
				return
			}
		}
	}
}

func isZombie(stat []byte) bool {
	f := slices.Collect(fields(stat[bytes.LastIndexByte(stat, ')')+1:]))
	return len(f) > 0 && f[0] == "Z"
}
