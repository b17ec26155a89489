//go:build e2e

package releases

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/test/harness"
)

// traffic asks an app without rest, each time over a new connection, and retries nothing.
type traffic struct {
	url    string
	client *http.Client
	stop   context.CancelFunc
	owned  sync.WaitGroup

	mu      sync.Mutex
	asked   int
	failed  []failure
	answers []answer // the newest last, at most maxAnswers
}

type failure struct {
	at  time.Time // when it was asked
	err error
}

type answer struct {
	at      time.Time // when it was asked
	version string
}

const (
	maxAnswers = 20000
	// perSecond is how many requests are sent, by so many who ask.
	perSecond = 100
	askers    = 4
	interval  = time.Second * askers / perSecond
)

// traffic starts to ask an app through its Service.
func (w *world) traffic(app string) *traffic { return w.trafficBy(app, askers) }

// trafficBy is the part of the traffic that some of the askers make.
func (w *world) trafficBy(app string, askers int) *traffic {
	w.t.Helper()
	var s core.Service
	w.space.Get(w.t, "services", app, &s)
	ctx, stop := context.WithCancel(context.Background())
	tr := &traffic{url: fmt.Sprintf("http://%s:%d/", s.Spec.ClusterIP, s.Spec.Ports[0].Port), stop: stop}
	tr.client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
	}}
	// A node may learn of a Service's pods a moment later than the cluster has.
	if !harness.Eventually(10*time.Second, func() bool { _, err := tr.get(); return err == nil }) {
		w.t.Fatalf("%s does not answer", tr.url)
	}
	for range askers {
		tr.owned.Go(func() { tr.ask(ctx) })
	}
	w.t.Cleanup(tr.end)
	return tr
}

func (tr *traffic) ask(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		at := time.Now()
		version, err := tr.get()
		tr.mu.Lock()
		tr.asked++
		if err != nil {
			tr.failed = append(tr.failed, failure{at, err})
		} else if tr.answers = append(tr.answers, answer{at, version}); len(tr.answers) > maxAnswers {
			tr.answers = tr.answers[maxAnswers/2:]
		}
		tr.mu.Unlock()
	}
}

func (tr *traffic) get() (string, error) {
	res, err := tr.client.Get(tr.url)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, body)
	}
	return strings.TrimSpace(string(body)), err
}

func (tr *traffic) end() {
	tr.stop()
	tr.owned.Wait()
}

// wantNone reports requests that failed.
func (tr *traffic) wantNone(t testing.TB) {
	t.Helper()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, f := range tr.failed[:min(len(tr.failed), 10)] {
		t.Errorf("one of %d of %d requests that failed, at %s: %v", len(tr.failed), tr.asked, f.at.Format("15:04:05.000"), f.err)
	}
	if tr.asked == 0 {
		t.Error("nobody asked")
	}
}

// share is the part of the answers since a moment that came from a version, in percent.
func (tr *traffic) share(version string, since time.Time) (percent float64, of int) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	from := 0
	for _, a := range tr.answers {
		if a.at.Before(since) {
			continue
		}
		of++
		if a.version == version {
			from++
		}
	}
	if of == 0 {
		return 0, 0
	}
	return 100 * float64(from) / float64(of), of
}

// last is when another version than this was last asked and answered; zero is never.
func (tr *traffic) last(version string) time.Time {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for i := len(tr.answers) - 1; i >= 0; i-- {
		if tr.answers[i].version != version {
			return tr.answers[i].at
		}
	}
	return time.Time{}
}
