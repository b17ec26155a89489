//go:build e2e

// Package hooks sends the real server more push hooks than it has ever seen.
package hooks

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

var rounds = flag.Int("rounds", 10, "how often 500 hooks are cut short by a SIGKILL")

const (
	burst = 500
	// apps share the hooks, so that newer pushes supersede older ones.
	apps = 50
)

func start(t *testing.T) (*harness.Server, *harness.Process, *harness.API) {
	s := harness.NewServer(t, "--capacity", "1", "--lease", "2s")
	p := s.Start()
	a := harness.NewAPI(t, s)
	docs := []harness.Doc{harness.Document("Stack", "noop", `{
		"language": "none", "build": {"checkout": "none", "steps": [{"name": "noop", "run": "true"}]}, "runtime": {"base": ""}}`)}
	for i := range apps {
		docs = append(docs, harness.Document("App", fmt.Sprintf("app%d", i),
			fmt.Sprintf(`{"repo": "http://127.0.0.1:1/group/app%d.git", "stack": "noop"}`, i)))
	}
	a.Apply(docs...)
	return s, p, a
}

// push number i of a round: one of ten to its app's branch.
func push(round, i int) harness.Push {
	return harness.Push{
		ID: fmt.Sprintf("delivery-%d-%d", round, i), ProjectID: i%apps + 1,
		Path: fmt.Sprintf("group/app%d", i%apps), CloneURL: fmt.Sprintf("http://127.0.0.1:1/group/app%d.git", i%apps),
		Branch: "dev", SHA: fmt.Sprintf("%020x%020x", round+1, i+1),
	}
}

// sendAll sends a round's hooks at once, and returns the ones answered 2xx with
// the time that each answer took.
func sendAll(t *testing.T, url string, round int) (answered map[string]bool, took []time.Duration) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: burst}}
	var mu sync.Mutex
	var work sync.WaitGroup
	answered = map[string]bool{}
	gate := make(chan struct{})
	for i := range burst {
		work.Go(func() {
			<-gate
			p := push(round, i)
			start := time.Now()
			code, err := p.Send(context.Background(), client, url)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(start))
			switch {
			case err == nil && code < 300:
				answered[p.SHA] = true
			case err == nil:
				t.Errorf("hook %d was answered %d", i, code)
			}
		})
	}
	close(gate)
	work.Wait()
	slices.Sort(took)
	return answered, took
}

// checkRuns wants one run for each push that was answered, at most one for the
// rest, and every older queued run superseded.
func checkRuns(t *testing.T, a *harness.API, answered map[string]bool) {
	t.Helper()
	var runs []api.RunSummary
	if !harness.Eventually(2*time.Minute, func() bool {
		s := a.Status()
		return s.Counts.HooksWaiting == 0 && s.Counts.Queued == 0 && s.Counts.Running == 0
	}) {
		t.Fatalf("hooks or runs still wait: %+v", a.Status().Counts)
	}
	runs = a.Runs()
	count := map[string]int{}
	canceled := 0
	for _, r := range runs {
		count[r.Commit.SHA]++
		switch r.State {
		case delivery.RunCanceled:
			canceled++
			if r.Cause == nil || r.Cause.Code != "run.superseded" {
				t.Errorf("%s is canceled, and not because a newer push superseded it: %v", r.Name, r.Cause)
			}
		case delivery.RunSucceeded:
		default:
			t.Errorf("%s is %s: %v", r.Name, r.State, r.Cause)
		}
	}
	for sha := range answered {
		if count[sha] != 1 {
			t.Errorf("push %s was answered, and has %d runs", sha, count[sha])
		}
	}
	for sha, n := range count {
		if n != 1 {
			t.Errorf("push %s has %d runs", sha, n)
		}
	}
	t.Logf("%d answered, %d runs, %d of them superseded", len(answered), len(runs), canceled)
}

// TestBurst: none lost, none doubled, superseded ones marked; then all delivered
// again, and nothing changes.
func TestBurst(t *testing.T) {
	_, p, a := start(t)
	answered, took := sendAll(t, p.URL(), 0)
	p99 := took[len(took)*99/100]
	t.Logf("500 hooks at once: answer p50 %s, p99 %s, worst %s", took[len(took)/2], p99, took[len(took)-1])
	if len(answered) != burst {
		t.Errorf("%d of %d hooks were answered", len(answered), burst)
	}
	checkRuns(t, a, answered)
	again, _ := sendAll(t, p.URL(), 0)
	if len(again) != burst {
		t.Errorf("%d of %d redeliveries were answered", len(again), burst)
	}
	checkRuns(t, a, answered)
	p.Kill()
}

// TestKillInTheMiddle kills the server while 500 hooks come in. What was answered
// is there afterwards; what was not is delivered again, as a forge does.
func TestKillInTheMiddle(t *testing.T) {
	s, p, a := start(t)
	all := map[string]bool{}
	for round := range *rounds {
		var work sync.WaitGroup
		work.Go(func() {
			time.Sleep(time.Duration(40+round*15) * time.Millisecond) // another moment each round
			p.Kill()
		})
		answered, _ := sendAll(t, s.URL(), round)
		work.Wait()
		p = s.Start()
		again, _ := sendAll(t, s.URL(), round)
		if len(again) != burst {
			t.Errorf("round %d: %d of %d redeliveries were answered", round, len(again), burst)
		}
		for sha := range answered {
			all[sha] = true
		}
		for sha := range again {
			all[sha] = true
		}
		t.Logf("round %d: %d answered before the kill", round, len(answered))
	}
	checkRuns(t, a, all)
	p.Kill()
}
