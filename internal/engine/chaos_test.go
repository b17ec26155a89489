package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// TestChaos has everything fail at random: ports are away or lose their answers,
// runners die and repeat themselves, servers crash in the midst of a decision. Once
// that is over, everything comes to its right end, and was accepted once.
func TestChaos(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				c := &chaos{world: w, random: rand.New(rand.NewPCG(seed, 1)), runners: map[string]*runner{}, made: map[string]delivery.Digest{}}
				w.apply(app("shop", ""), app("blog", ""))
				c.trouble(0.2)
				for range 60 {
					c.step()
				}
				c.trouble(0)
				c.calm()
				c.check()
			})
		})
	}
}

type chaos struct {
	*world
	mu      sync.Mutex // of random: ports are called by many
	random  *rand.Rand
	hooks   []delivery.Hook
	runners map[string]*runner
	// made is the digest that an attempt reports, each its own.
	made map[string]delivery.Digest
}

func (c *chaos) chance(p float64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.Float64() < p
}

func (c *chaos) pick(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

// trouble has calls fail with a probability, a third of them with only their answer
// lost, and some take the server with them.
func (c *chaos) trouble(p float64) {
	rule := func(string) (error, bool) {
		if c.chance(p / 10) {
			c.server.end()
		}
		if c.chance(p) {
			return errAway, c.chance(1.0 / 3)
		}
		return nil, true
	}
	c.executor.Follow(rule)
	c.deployer.Follow(rule)
	c.forge.Follow(rule)
	c.images.Follow(rule)
	c.logs.Follow(rule)
}

// step does one thing at random. Whatever is asked may be refused.
func (c *chaos) step() {
	c.survive()
	switch ctx := c.t.Context(); c.pick(8) {
	case 0, 1:
		branch := []string{"dev", "dev", "pre"}[c.pick(3)]
		h := push(fmt.Sprint("h", len(c.hooks)), []string{"shop", "blog"}[c.pick(2)], branch, fmt.Sprintf("%x", c.pick(16)))
		c.hooks = append(c.hooks, h)
		_ = c.ReceiveHook(ctx, h) // a crash may swallow it: then it is delivered again at last
	case 2:
		if n := len(c.hooks); n > 0 {
			_ = c.ReceiveHook(ctx, c.hooks[c.pick(n)])
		}
	case 3:
		_, _ = c.CreateRelease(ctx, admin(), engine.CreateRelease{App: "shop", Env: "prod", From: "dev"})
	case 4:
		c.interfere()
	default:
		c.work(false)
	}
	c.pass(time.Duration(c.pick(3000)) * time.Millisecond)
}

// survive has a server be there.
func (c *chaos) survive() {
	select {
	case <-c.ended:
		c.boot()
	default:
	}
}

// interfere gives a random command to a random run or release.
func (c *chaos) interfere() {
	ctx := c.t.Context()
	if runs := c.runs(); len(runs) > 0 && c.chance(0.2) {
		_ = c.CancelRun(ctx, admin(), runs[c.pick(len(runs))].ID, "")
		return
	}
	if c.chance(0.2) {
		_, _ = c.RollBack(ctx, admin(), "shop", "prod", "", "")
		return
	}
	cmds := []delivery.Command{
		delivery.CmdReleaseContinue, delivery.CmdReleaseFull, delivery.CmdReleasePause,
		delivery.CmdReleaseResume, delivery.CmdReleaseAbort, delivery.CmdReleaseCancel,
	}
	for _, r := range c.releases() {
		if !r.State.Terminal() {
			_, _ = c.CommandRelease(ctx, admin(), r.ID, cmds[c.pick(len(cmds))], "")
		}
	}
}

// work does one thing as the runner of each attempt that is alive; only good things
// when it is steady.
func (c *chaos) work(steady bool) {
	for _, a := range c.executor.Alive() {
		r := c.runners[a.Key]
		switch {
		case !steady && c.chance(0.1):
			c.executor.Die(a.Key, nil)
		case r == nil:
			c.claims(a)
		case c.chance(0.5):
			_, _ = r.send(api.Report{Seq: 1, Step: &delivery.Step{Name: "build", State: delivery.StepRunning}})
		default:
			c.finishes(r, steady)
		}
	}
}

func (c *chaos) claims(a delivery.AttemptSpec) {
	claim := claimFor(a)
	claim.Token += a.Key
	_, err := c.Claim(c.t.Context(), claim)
	if err == nil {
		c.runners[a.Key] = &runner{w: c.world, key: a.Key, token: claim.Token}
	}
}

// finishes sends the step, in case it was not, and the end; it may do so again.
func (c *chaos) finishes(r *runner, steady bool) {
	if c.made[r.key] == "" {
		d := delivery.Digest(fmt.Sprintf("sha256:%064x", len(c.made)+1))
		c.made[r.key] = d
		if c.chance(0.2) {
			c.deployer.Break(d, delivery.Cause{Code: "process.exit", Text: "exit code 1"})
		}
	}
	end := good(c.made[r.key])
	if !steady && c.chance(0.1) {
		end = api.Finish{Outcome: api.OutcomeLost}
	}
	reports := []api.Report{{Seq: 1, Step: &delivery.Step{Name: "build", State: delivery.StepSucceeded}}, {Seq: 2, Finish: &end}}
	ack, err := r.send(reports...)
	if engine.IsGone(err) || err == nil && (ack.Seq == 2 || end.Outcome == api.OutcomeLost) {
		c.executor.Die(r.key, nil)
	}
}

// calm delivers every hook, and goes on until nothing is under way.
func (c *chaos) calm() {
	for _, h := range c.hooks {
		c.survive()
		c.receive(h)
	}
	for range 200 {
		c.survive()
		if c.settled() {
			return
		}
		c.work(true)
		for _, r := range c.releases() {
			if r.State == delivery.ReleasePaused {
				_, _ = c.CommandRelease(c.t.Context(), admin(), r.ID, delivery.CmdReleaseFull, "")
			} else if r.State == delivery.ReleaseIsProposed && r.Kind == delivery.ReleaseDeploy && !r.Automatic {
				_, _ = c.CommandRelease(c.t.Context(), admin(), r.ID, delivery.CmdReleaseCancel, "") // it may be older than what runs
			}
		}
		c.pass(10 * time.Second)
	}
	c.t.Fatal("it never comes to rest")
}

func (c *chaos) settled() bool {
	if slices.ContainsFunc(c.runs(), func(r delivery.Run) bool { return !r.State().Terminal() }) ||
		slices.ContainsFunc(c.releases(), func(r delivery.Release) bool { return !r.State.Terminal() }) {
		return false
	}
	counts, err := c.store.Counts(c.t.Context())
	c.must(err)
	return counts.HooksReceived == 0 && counts.WakesWaiting+counts.WakesClaimed == 0
}

func (c *chaos) check() {
	synctest.Wait()
	byHook := map[string]int{}
	for _, r := range c.runs() {
		byHook[r.Hook]++
		c.checkRun(r)
	}
	for _, h := range c.hooks {
		if byHook[h.ID] != 1 {
			c.t.Errorf("hook %s made %d runs", h.ID, byHook[h.ID])
		}
	}
	if alive := c.executor.Alive(); len(alive) > 0 {
		c.t.Errorf("orphans: %v", alive)
	}
	targets, err := c.store.Targets(c.t.Context())
	c.must(err)
	for _, t := range targets {
		c.checkTarget(t)
	}
}

func (c *chaos) checkRun(r delivery.Run) {
	j, history := r.Jobs[0], c.history(r.Ref())
	ends := count(history, "job.finished")
	if ends > 1 || r.State() == delivery.RunSucceeded && ends != 1 || count(history, "job.admitted") != j.Attempt {
		c.t.Errorf("%s is %s after %d attempts: %v", r.Name(), r.State(), j.Attempt, history)
	}
	if r.State() == delivery.RunSucceeded && r.Artifact.Digest != c.made[r.AttemptKey(j)] {
		c.t.Errorf("%s kept what another attempt made", r.Name())
	}
	released := 0
	for _, rel := range c.releases() {
		if rel.Automatic && rel.Revision.Run == r.ID {
			released++
		}
	}
	if want := r.State() == delivery.RunSucceeded && r.Env == "dev"; want != (released == 1) || released > 1 {
		c.t.Errorf("%s is %s and was released %d times by itself", r.Name(), r.State(), released)
	}
	n, err := c.store.Notification(c.t.Context(), delivery.StatusID(r.ID))
	if want := delivery.StatusOf(r).State; err != nil || n.Sent != want {
		c.t.Errorf("the forge was told that %s is %q, want %q (%v)", r.Name(), n.Sent, want, err)
	}
	for number := 1; number <= j.Attempt; number++ {
		j.Attempt = number
		if !slices.Contains(c.logs.Closed(), r.AttemptKey(j)) {
			c.t.Errorf("the log of %s is open", r.AttemptKey(j))
		}
	}
}

func (c *chaos) checkTarget(t delivery.Target) {
	if t.Active != "" || !t.Settled() {
		c.t.Errorf("%s is not at rest: %+v", t.Key(), t)
	}
	wishes := c.deployer.Wishes(t.App, t.Env)
	if n := len(wishes); n == 0 || !wishes[n-1].Same(t.Desired) {
		c.t.Errorf("the deployer of %s was not told the wish", t.Key())
	}
	var deployed []delivery.ReleaseID
	for _, r := range c.releases() {
		if r.State == delivery.ReleaseDeployed && r.App == t.App && r.Env == t.Env {
			deployed = append(deployed, r.ID)
		}
	}
	if len(deployed) != len(t.History) {
		c.t.Errorf("%s: %d releases deployed, %d in its history", t.Key(), len(deployed), len(t.History))
	}
	if running := t.Running(); running != nil && (t.Desired.Stable == nil || t.Desired.Stable.ID != running.Revision.ID) {
		c.t.Errorf("%s wishes for %v, and %v runs", t.Key(), t.Desired.Stable, running.Revision.ID)
	}
	if got := fmt.Sprint(t.Observed.Versions); strings.Contains(got, "Failed:true") {
		c.t.Errorf("%s runs a broken version: %s", t.Key(), got)
	}
}
