//go:build bench

// Package load pushes to many apps for minutes, and fails when something is lost, an
// answer takes long, or the server's memory grows.
package load

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/demo/githost"
	"github.com/shiplock/shiplock/test/harness"
)

var (
	apps   = flag.Int("apps", 200, "how many apps there are; one in five is checked out from git")
	rate   = flag.Int("rate", 20, "pushes per second")
	length = flag.Duration("for", 2*time.Minute, "how long to push")
)

// What is promised. The memory's slope is that of the second half: a server that has
// just begun still fills its caches.
const (
	answerMost = 150 * time.Millisecond // p99
	pageMost   = 10 * time.Millisecond  // median, when all is done
	slopeMost  = 6.0                    // MiB per minute
	memoryMost = 160.0                  // MiB
	drainMost  = 3 * time.Minute
)

// world is a server, its apps, and who pushes to them.
type world struct {
	t       *testing.T
	server  *harness.Server
	process *harness.Process
	api     *harness.API
	sources []*source

	mu      sync.Mutex
	took    []time.Duration
	pushed  map[string]string // commit → app
	refused int
}

// source makes the pushes of one app.
type source struct {
	name string
	next func() harness.Push
}

func newWorld(t *testing.T) *world {
	t.Helper()
	statuses, err := githost.New(githost.Config{APIToken: harness.ForgeToken})
	if err != nil {
		t.Fatal(err)
	}
	forge := httptest.NewServer(statuses)
	t.Cleanup(forge.Close)
	s := harness.NewServer(t, "--url=", "--runner-url=", "--gitlab-url="+forge.URL, "--capacity", "8", "--log", "warn")
	w := &world{t: t, server: s, process: s.Start(), pushed: map[string]string{}}
	w.api = harness.NewAPI(t, s)
	docs := []harness.Doc{
		harness.Document("Stack", "noop", `{"language": "none", "runtime": {"base": ""},
			"build": {"checkout": "none", "steps": [{"name": "noop", "run": "true"}]}}`),
		harness.Document("Stack", "fetch", `{"language": "none", "runtime": {"base": ""},
			"build": {"steps": [{"name": "look", "run": "cat file"}]}}`),
	}
	w.sources = append(noopSources(*apps-*apps/5), gitSources(t, *apps/5)...)
	for i, src := range w.sources {
		p := src.next()
		spec := fmt.Sprintf(`{"repo": %q, "stack": "noop", "team": "team%d"}`, p.CloneURL, i%7)
		if len(p.Files) > 0 {
			spec = fmt.Sprintf(`{"repo": %q, "path": %q, "stack": "fetch"}`, p.CloneURL, src.name)
		}
		docs = append(docs, harness.Document("App", src.name, spec))
	}
	w.api.Apply(docs...)
	return w
}

// noopSources push commits of repositories that do not exist.
func noopSources(n int) []*source {
	all := make([]*source, n)
	for i := range all {
		name, pushes := fmt.Sprintf("noop%d", i), 0
		sha := func(n int) string { return fmt.Sprintf("%020x%020x", i+1, n+1) }
		all[i] = &source{name: name, next: func() harness.Push {
			pushes++
			return harness.Push{
				ID: fmt.Sprintf("%s-%d", name, pushes), ProjectID: i + 1, Path: "group/" + name,
				CloneURL: "http://127.0.0.1:1/group/" + name + ".git", Branch: "dev", Before: sha(pushes - 1), SHA: sha(pushes),
			}
		}}
	}
	return all
}

// push sends one push, and remembers it when it was taken.
func (w *world) push(client *http.Client, src *source) {
	p := src.next()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	start := time.Now()
	code, err := p.Send(ctx, client, w.process.URL())
	took := time.Since(start)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil || code >= 300 {
		w.refused++
		w.t.Logf("push %s: %d %v", p.ID, code, err)
		return
	}
	w.took = append(w.took, took)
	w.pushed[p.SHA] = src.name
}

// pushAll pushes at the rate for the time, to one app after the other.
func (w *world) pushAll() {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(time.Second / time.Duration(*rate))
	defer tick.Stop()
	var sending sync.WaitGroup
	defer sending.Wait()
	total := int(length.Seconds()) * *rate
	// An app's pushes arrive in order: the next one is sent when the last is answered.
	turns := make([]sync.Mutex, len(w.sources))
	for i := range total {
		n := i * 7 % len(w.sources)
		sending.Go(func() {
			turns[n].Lock()
			defer turns[n].Unlock()
			w.push(client, w.sources[n])
		})
		<-tick.C
	}
}

func TestLoad(t *testing.T) {
	if *apps < 10 || *apps%7 == 0 {
		t.Fatal("-apps must be at least 10, and no multiple of 7")
	}
	w := newWorld(t)
	v := &verdict{t: t}
	v.say("%s; %d apps, %d pushes/s for %s", machine(t), *apps, *rate, *length)
	sampler := sample(t, w.process.PID())
	began := time.Now()
	w.pushAll()
	pushedFor := time.Since(began)
	memory := sampler.stop()
	drained := time.Now()
	if !harness.Eventually(drainMost, func() bool {
		c := w.api.Status().Counts
		return c.HooksWaiting == 0 && c.Queued == 0 && c.Running == 0
	}) {
		v.miss("hooks or runs still wait after %s: %+v", drainMost, w.api.Status().Counts)
	}
	v.say("%d pushes in %s, all done %s later", len(w.pushed), pushedFor.Round(time.Second), time.Since(drained).Round(100*time.Millisecond))
	w.checkNothingLost(v)
	w.checkAnswers(v)
	memory.check(v)
	w.checkPages(v)
	v.end()
}

func (w *world) checkAnswers(v *verdict) {
	slices.Sort(w.took)
	if len(w.took) == 0 {
		v.miss("no push was answered")
		return
	}
	at := func(share float64) time.Duration { return w.took[min(int(float64(len(w.took))*share), len(w.took)-1)] }
	v.most("hook answered, p99", ms(at(0.99)), ms(answerMost), "ms", fmt.Sprintf("p50 %.3g ms, worst %.3g ms", ms(at(0.5)), ms(at(1))))
}

// checkNothingLost wants one run for every push that was answered, which succeeded or
// was superseded by a newer one and says so.
func (w *world) checkNothingLost(v *verdict) {
	if w.refused > 0 {
		v.miss("%d pushes were not taken", w.refused)
	}
	count := map[string]int{}
	superseded, wrong := 0, []string{}
	for _, r := range w.api.Runs() {
		count[r.Commit.SHA]++
		switch {
		case w.pushed[r.Commit.SHA] != r.App:
			wrong = append(wrong, r.Name+" builds a push to "+w.pushed[r.Commit.SHA])
		case r.State == "canceled" && r.Cause != nil && r.Cause.Code == "run.superseded":
			superseded++
		case r.State != "succeeded":
			wrong = append(wrong, fmt.Sprintf("%s is %s: %v", r.Name, r.State, r.Cause))
		}
	}
	for sha, app := range w.pushed {
		if count[sha] != 1 {
			wrong = append(wrong, fmt.Sprintf("push %.8s to %s has %d runs", sha, app, count[sha]))
		}
	}
	for _, line := range wrong[:min(len(wrong), 20)] {
		v.say("%s", line)
	}
	v.most("pushes lost, doubled or ended wrongly", float64(len(wrong)), 0, "", fmt.Sprintf("%d runs, %d of them superseded", len(count), superseded))
}

// checkPages measures what people look at, when the server has all these runs.
func (w *world) checkPages(v *verdict) {
	for _, path := range []string{"/status", "/runs", "/runs?app=noop0", "/apps", "/hooks", "/releases"} {
		var took []time.Duration
		for range 30 {
			start := time.Now()
			w.api.Must("GET", path, nil, nil)
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		v.most("GET "+path+", median", ms(took[len(took)/2]), ms(pageMost), "ms", fmt.Sprintf("worst %.3g ms", ms(took[len(took)-1])))
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// verdict collects what was missed, and ends in one line.
type verdict struct {
	t      *testing.T
	missed []string
}

func (v *verdict) say(format string, args ...any) {
	fmt.Fprintf(v.t.Output(), "     "+format+"\n", args...)
}

func (v *verdict) miss(format string, args ...any) {
	v.missed = append(v.missed, fmt.Sprintf(format, args...))
	fmt.Fprintf(v.t.Output(), "MISS "+format+"\n", args...)
}

// most wants a figure to be no more than promised.
func (v *verdict) most(what string, got, most float64, unit, more string) {
	line := strings.TrimSpace(fmt.Sprintf("%s: %.3g %s", what, got, unit))
	if got > most {
		v.miss("%s, promised at most %.3g (%s)", line, most, more)
		return
	}
	fmt.Fprintf(v.t.Output(), "ok   %s (≤ %.3g; %s)\n", line, most, more)
}

func (v *verdict) end() {
	if len(v.missed) == 0 {
		fmt.Fprintln(v.t.Output(), "VERDICT: ok, every promise is kept")
		return
	}
	v.t.Errorf("VERDICT: %d promises missed: %s", len(v.missed), strings.Join(v.missed, "; "))
}
