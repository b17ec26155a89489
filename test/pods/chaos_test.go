//go:build e2e

package pods

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/kube"
)

var (
	blows = flag.Int("chaos", 30, "how often something befalls builds, their server or their node")
	// A runner keeps its job for half of the longest cut, so that about half of them
	// are fenced and half go on.
	cut  = flag.Duration("cut", 40*time.Second, "for how long, at most, builds are cut off")
	seed = flag.Uint64("seed", 1, "seed of what happens, and when")
)

// rare is one blow in so many that takes a while: the disk of the node.
const rare = 60

// TestClusterChaos starts builds while their server is killed, their network is cut,
// their pods are deleted, and their node does not answer; and then wants everything to
// be as if nothing had been.
func TestClusterChaos(t *testing.T) {
	c := newChaos(t)
	for i, b := range c.blows() {
		for range 1 + c.rnd.IntN(2) {
			c.build()
		}
		time.Sleep(time.Duration(c.rnd.IntN(3000)) * time.Millisecond) // the random moment itself
		c.read()
		before := time.Now()
		what := b(c)
		t.Logf("blow %d: %s, in %s", i+1, what, time.Since(before).Round(time.Millisecond))
	}
	c.settle()
	c.check()
}

// chaos is a world with builds, and what is known of each.
type chaos struct {
	*world
	rnd     *rand.Rand
	process *harness.Process
	kubelet *kube.Kubelet // nil: the node is not ours to stop
	builds  map[delivery.RunID]kind
	// shown are the lines of an attempt's log that were seen in passing.
	shown map[attempt]int
	// struck are the pods that something happened to: each build is struck once, so that
	// its attempts suffice.
	struck map[string]bool
	sight  *kube.Sight
}

// kind is a build and how it must end.
type kind struct {
	stack string
	state delivery.RunState
	lines int
	cause string
}

type attempt struct {
	run    delivery.RunID
	number int
}

// kinds of builds. The last one is for a node whose disk is full, as far as that build
// may tell.
var kinds = []kind{
	{stack: "quick", state: delivery.RunSucceeded},
	{stack: "lines", state: delivery.RunSucceeded, lines: 200},
	{stack: "lines", state: delivery.RunSucceeded, lines: 200},
	{stack: "broken", state: delivery.RunFailed, lines: 40},
	{stack: "full", state: delivery.RunErrored, cause: delivery.AttemptDisk},
}

func newChaos(t *testing.T) *chaos {
	w := newWorld(t, "--silence", (*cut / 2).String())
	c := &chaos{
		world: w, process: w.process, rnd: rand.New(rand.NewPCG(*seed, *seed)), kubelet: w.space.FindKubelet(t),
		builds: map[delivery.RunID]kind{}, shown: map[attempt]int{}, struck: map[string]bool{}, sight: w.space.Look(t),
	}
	if c.kubelet == nil {
		t.Log("the node of this cluster is not stopped")
	}
	const little = `"pod": {"resources": {"requests": {"cpu": "100m", "memory": "32Mi"}, "limits": {"memory": "128Mi", "ephemeral-storage": "30Mi"}}}`
	const count = "i=1; while [ $i -le %d ]; do echo \"line $i\"; [ $((i %% 20)) = 0 ] && sleep 1; i=$((i+1)); done"
	c.api.Apply(
		w.script("quick", "true", little), app("quick", "quick"),
		w.script("lines", fmt.Sprintf(count, 200), little), app("lines", "lines"),
		w.script("broken", fmt.Sprintf(count, 40)+"; echo 'main.go:3:1: syntax error' >&2; exit 7", little), app("broken", "broken"),
		w.script("long", "echo begun; "+fmt.Sprintf(count, 20)+"; case $(hostname) in *-1) sleep 600;; esac", little), app("long", "long"),
		w.script("full", "head -c 60000000 /dev/zero > big; sleep 300", little), app("full", "full"),
	)
	return c
}

func (c *chaos) build() {
	k := kinds[c.rnd.IntN(len(kinds))]
	c.builds[c.start(k.stack, "dev", fmt.Sprintf("%040x", len(c.builds)+1))] = k
}

// read looks at the logs of what runs: what was shown once has to stay.
func (c *chaos) read() {
	for _, s := range c.api.Runs() {
		if s.State != delivery.RunRunning {
			continue
		}
		if r := c.api.Run(s.ID); r.Jobs[0].State == delivery.JobRunning {
			n := r.Jobs[0].Attempt
			last, err := harness.LastLine(c.api.AttemptLog(r.ID, n))
			if err != nil {
				c.t.Errorf("%s: its log: %v", r.Name, err)
			}
			c.shown[attempt{r.ID, n}] = last
		}
	}
}

// blows are what befalls the builds, in random order. Each says what it did.
func (c *chaos) blows() []func(*chaos) string {
	each := []func(*chaos) string{(*chaos).killServer, (*chaos).cutRunners, (*chaos).cutAll, (*chaos).deletePod, (*chaos).killPod, (*chaos).drainPod}
	if c.kubelet != nil {
		each = append(each, (*chaos).pauseNode, (*chaos).restartNode)
	}
	all := make([]func(*chaos) string, *blows)
	for i := range all {
		all[i] = each[i%len(each)]
		if c.kubelet != nil && i%rare == rare-1 {
			all[i] = (*chaos).fillDisk
		}
	}
	c.rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func (c *chaos) killServer() string {
	c.process.Kill()
	c.process = c.server.Start()
	return "the server is killed and starts again"
}

// cutRunners lets nothing of some runners through, for as long as it takes to fence
// half of them: their connections are closed, or the network loses their packets.
func (c *chaos) cutRunners() string {
	if c.space.CanCut() && c.rnd.IntN(2) == 0 {
		return c.dropPackets()
	}
	var addresses, names []string
	for _, p := range c.victims(3) {
		addresses, names = append(addresses, p.Status.PodIP), append(names, p.Name)
	}
	d := c.moment(*cut)
	c.server.Front.Shun(addresses...)
	time.Sleep(d)
	c.server.Front.Shun()
	return fmt.Sprintf("cut off for %s: %s", d, names)
}

// dropPackets has the network lose all packets of one pod, for the longest time or for
// so short a one that its runner keeps its job.
func (c *chaos) dropPackets() string {
	d := *cut
	if c.rnd.IntN(2) == 0 {
		d /= 4
	}
	for _, p := range c.victims(1) {
		restore := c.space.Cut(c.t, p.Status.PodIP)
		time.Sleep(d)
		restore()
		return fmt.Sprintf("%s has no network for %s", p.Name, d)
	}
	return "there is no pod to cut off"
}

// fillDisk has the node put builds out until its disk has room again. Whom it strikes
// is not known, and a build may come just before the node takes no more: so what was
// struck before ends first.
func (c *chaos) fillDisk() string {
	disk := c.space.FindDisk(c.t)
	if disk == nil {
		return "the disk cannot be filled"
	}
	c.settle()
	id := c.start("long", "dev", fmt.Sprintf("%040x", len(c.builds)+1))
	c.builds[id] = kind{stack: "long", state: delivery.RunSucceeded, lines: 20}
	c.begun(id)
	disk.Fill(c.t)
	c.because(id, "attempt.evicted")
	disk.Empty(c.t)
	disk.Release()
	c.kubelet = c.space.FindKubelet(c.t)
	return "the node's disk is full"
}

// cutAll lets nothing through from anywhere, for less long: whom it strikes is not
// known, so nobody may be lost by it.
func (c *chaos) cutAll() string {
	d := c.moment(*cut / 4)
	c.server.Serve()
	time.Sleep(d)
	c.server.Serve(c.process)
	return fmt.Sprintf("all are cut off for %s", d)
}

func (c *chaos) deletePod() string {
	return c.strike("deleted", func(p *core.Pod) { c.space.DeletePod(c.t, p.Name, 20*time.Second) })
}

func (c *chaos) killPod() string {
	return c.strike("deleted at once", func(p *core.Pod) { c.space.DeletePod(c.t, p.Name, 0) })
}

func (c *chaos) drainPod() string {
	return c.strike("drained", func(p *core.Pod) { c.space.Evict(c.t, p.Name) })
}

func (c *chaos) pauseNode() string {
	d := c.moment(6 * time.Second)
	c.kubelet.Pause(c.t, d)
	return fmt.Sprintf("the kubelet is stopped for %s", d)
}

func (c *chaos) restartNode() string {
	d := c.moment(4 * time.Second)
	c.kubelet.Restart(c.t, d)
	c.kubelet = c.space.FindKubelet(c.t)
	return fmt.Sprintf("the kubelet is killed, and starts again after %s", d)
}

func (c *chaos) strike(how string, blow func(*core.Pod)) string {
	for _, p := range c.victims(1) {
		blow(p)
		return p.Name + " is " + how
	}
	return "there is no pod to be " + how
}

// moment is a random time up to a limit.
func (c *chaos) moment(limit time.Duration) time.Duration {
	return time.Duration(c.rnd.Int64N(int64(limit))).Round(time.Millisecond)
}

// victims picks pods of first attempts that nothing has happened to.
func (c *chaos) victims(n int) []*core.Pod {
	seen := c.sight.Pods()
	var all []*core.Pod
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		p := seen[name].Pod
		_, _, _, number, err := delivery.ParseAttemptKey(name)
		if err == nil && number == 1 && p.Status.Phase == core.PodRunning && p.DeletionTimestamp == nil && seen[name].Gone.IsZero() && !c.struck[name] {
			all = append(all, p)
		}
	}
	c.rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:min(n, len(all))]
	for _, p := range all {
		c.struck[p.Name] = true
	}
	return all
}
