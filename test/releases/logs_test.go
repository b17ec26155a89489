//go:build e2e

package releases

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// What an app prints is read from all of its pods, and of those that a release makes
// while somebody reads.
func TestClusterAppLogs(t *testing.T) {
	w := newWorld(t, "")
	w.app("shop", `, "environments": {"prod": {"replicas": 2}}`)
	one, two := w.build("shop", "one", "well"), w.build("shop", "two", "well")
	cl := client.New(w.server.URL(), harness.AdminToken)
	var none error
	if !harness.Eventually(10*time.Second, func() bool { // the cluster is looked at first
		none = cl.AppLog(t.Context(), "shop", "prod", client.AppLogQuery{}, nil)
		return delivery.KindOf(none) == delivery.NotFound
	}) {
		t.Errorf("before the first release: %v", none)
	}
	w.reached(w.release("shop", one), delivery.ReleaseDeployed, time.Minute)

	var there printed
	if err := cl.AppLog(t.Context(), "shop", "prod", client.AppLogQuery{Tail: 5}, there.add); err != nil {
		t.Fatal(err)
	}
	if pods := there.pods("version one, well"); len(pods) != 2 {
		t.Errorf("of two pods %v printed what they begin with: %+v", pods, there.lines)
	}
	if !slices.IsSortedFunc(there.lines, func(a, b api.AppLine) int { return a.At.Compare(b.At) }) {
		t.Errorf("not in the order of time: %+v", there.lines)
	}
	if err := cl.AppLog(t.Context(), "shop", "prod", client.AppLogQuery{Previous: true}, nil); delivery.KindOf(err) != delivery.NotFound {
		t.Errorf("before a restart, of what was not restarted: %v", err)
	}

	var followed printed
	ctx, stop := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	reading.Go(func() {
		if err := cl.AppLog(ctx, "shop", "prod", client.AppLogQuery{Follow: true, Tail: 5}, followed.add); !errors.Is(err, context.Canceled) {
			t.Errorf("the follower ended: %v", err)
		}
	})
	w.reached(w.release("shop", two), delivery.ReleaseDeployed, time.Minute)
	if !harness.Eventually(10*time.Second, func() bool { return len(followed.pods("version two, well")) == 2 }) {
		t.Errorf("the pods of the release printed %v", followed.pods("version two, well"))
	}
	stop()
	reading.Wait()
	if of := followed.versions("version two, well"); !slices.Equal(of, []string{"#2"}) {
		t.Errorf("it is of version %v", of)
	}
	followed.wantOnce(t, "version two, well")
	followed.wantOnce(t, "version one, well")
}

// printed are the lines of a reader.
type printed struct {
	mu    sync.Mutex
	lines []api.AppLine
}

func (p *printed) add(lines []api.AppLine) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, lines...)
	return nil
}

// pods are those that printed a text, as often as they did; versions are theirs.
func (p *printed) pods(text string) (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		if strings.Contains(l.Text, text) {
			all = append(all, l.Pod)
		}
	}
	slices.Sort(all)
	return all
}

func (p *printed) versions(text string) (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		if strings.Contains(l.Text, text) && !slices.Contains(all, l.Version) {
			all = append(all, l.Version)
		}
	}
	return all
}

func (p *printed) wantOnce(t *testing.T, text string) {
	t.Helper()
	if all := p.pods(text); len(all) != len(slices.Compact(slices.Clone(all))) {
		t.Errorf("%q came more than once of a pod: %v", text, all)
	}
}
