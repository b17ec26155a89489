//go:build e2e

package pods

import (
	"fmt"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// settle waits until no build is under way.
func (c *chaos) settle() {
	c.t.Helper()
	for id := range c.builds {
		c.ended(id, 5*time.Minute)
	}
}

// check looks at every run, and at what is left in the cluster.
func (c *chaos) check() {
	c.t.Helper()
	lost := map[string]int{}
	for id, k := range c.builds {
		r := c.api.Run(id)
		c.checkEnd(r, k)
		for _, l := range r.Jobs[0].Lost {
			lost[l.Cause.Code]++
			c.checkLost(r, l)
			c.checkMarked(id, l.Attempt)
		}
		c.checkLogs(r, k)
	}
	c.t.Logf("%d builds; attempts lost: %v", len(c.builds), lost)
	c.checkOrphans()
}

// checkEnd wants the one end that a build's kind has, accepted once.
func (c *chaos) checkEnd(r api.Run, k kind) {
	c.t.Helper()
	if r.State != k.state || k.cause != "" && (r.Cause == nil || r.Cause.Code != k.cause) {
		c.t.Errorf("%s is %s, want %s: %+v; lost %+v", r.Name, r.State, k.state, r.Cause, r.Jobs[0].Lost)
	}
	want := 1
	if k.state == delivery.RunErrored {
		want = 0 // its last attempt was lost
	}
	if n := c.api.Finishes(r.ID); n != want {
		c.t.Errorf("%s was finished %d times", r.Name, n)
	}
}

// checkLost wants a loss explained, and that a runner whose job was given to another
// one was told so: by its own report of the end the server was not moved.
func (c *chaos) checkLost(r api.Run, l delivery.LostAttempt) {
	c.t.Helper()
	if l.Cause.Text == "" {
		c.t.Errorf("%s lost attempt %d for no reason: %+v", r.Name, l.Attempt, l.Cause)
	}
	if l.Cause.Code != "attempt.silent" {
		return
	}
	key := fmt.Sprintf("%s-%d-%s-%d", r.App, r.Number, r.Jobs[0].Name, l.Attempt)
	if code, ok := c.exit(key); ok && code == 0 {
		c.t.Errorf("the server took a report of %s, which was fenced", key)
	}
}

// exit is how an attempt's runner ended, if that was seen.
func (c *chaos) exit(key string) (int32, bool) {
	if p := c.sight.Pods()[key].Pod; p != nil {
		for _, s := range p.Status.ContainerStatuses {
			if s.State.Terminated != nil {
				return s.State.Terminated.ExitCode, true
			}
		}
	}
	return 0, false
}

// checkLogs wants the last attempt's log whole, those of lost ones without a hole, and
// in all of them what was shown before.
func (c *chaos) checkLogs(r api.Run, k kind) {
	c.t.Helper()
	for n := 1; n <= r.Jobs[0].Attempt; n++ {
		last, err := harness.LastLine(c.api.AttemptLog(r.ID, n))
		switch {
		case err != nil:
			c.t.Errorf("%s, attempt %d: its log: %v", r.Name, n, err)
		case n == r.Jobs[0].Attempt && last != k.lines && k.cause == "":
			c.t.Errorf("%s: its log ends at line %d of %d", r.Name, last, k.lines)
		case last < c.shown[attempt{r.ID, n}]:
			c.t.Errorf("%s, attempt %d: line %d was shown, and its log ends at %d", r.Name, n, c.shown[attempt{r.ID, n}], last)
		}
	}
}
