//go:build e2e

package releases

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/manifest"
	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/kube"
	"github.com/shiplock/shiplock/test/postgres"
)

var (
	seed     = flag.Uint64("seed", 1, "seed of the random moments")
	canaries = flag.Int("canaries", 4, "how many releases TestClusterReleaseChaos makes")
	blows    = flag.Int("blows", 16, "how much befalls them")
	outage   = flag.Duration("outage", 3*time.Second, "how long the cluster's API is away")
)

// TestClusterReleaseChaos has servers killed, or stopped for longer than their lease and
// woken, the cluster's API away, and people change what is applied, at random moments of
// canary releases: each comes to its right end, and no older wish is ever applied.
func TestClusterReleaseChaos(t *testing.T) {
	c := newChaos(t)
	last := ""
	perRelease := *blows / *canaries
	for i := range *canaries {
		last = fmt.Sprint("version-", i)
		run := c.build("shop", last, "well")
		id := c.release("shop", run)
		for range perRelease {
			c.moment()
			c.blow()
		}
		c.settled(id)
	}
	c.quiet(last)
	c.traffic.end()
	c.ledger.WantNoFall(t)
	c.checkRequests()
}

// chaos is a world with two servers on one database, or one where there is no PostgreSQL.
type chaos struct {
	*world
	random  *rand.Rand
	live    []*harness.Process
	cluster *way
	ledger  *kube.Ledger
	traffic *traffic
	// blind are the spans in which requests may fail: somebody took the Service's pods away.
	blind []time.Time
}

func newChaos(t *testing.T) *chaos {
	c := &chaos{world: prepare(t), random: rand.New(rand.NewPCG(*seed, *seed))}
	servers := 2
	switch db, err := postgres.Start(); {
	case errors.Is(err, postgres.ErrMissing):
		servers = 1
	case err != nil:
		t.Fatal(err)
	default:
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		db.Exec(t, "postgres", "CREATE DATABASE shiplock")
		c.server.Database = db.URL("shiplock")
	}
	for range servers {
		c.live = append(c.live, c.server.Boot())
	}
	c.server.Serve(c.live...)
	c.cluster = c.openWay()
	c.begin(`, "strategy": {"batches": [{"percent": 25, "hold": "500ms"}, {"percent": 50, "hold": "500ms"}]}, "bake": "2s"`, c.cluster.kubeconfig)
	c.app("shop", `, "environments": {"prod": {"replicas": 3}}`)
	first := c.build("shop", "first", "well")
	c.reached(c.release("shop", first), delivery.ReleaseDeployed, time.Minute)
	c.ledger = c.space.Note(t, manifest.AnnotationGeneration)
	c.traffic = c.world.traffic("shop")
	return c
}

// moment is a random one.
func (c *chaos) moment() { time.Sleep(time.Duration(c.random.IntN(600)) * time.Millisecond) }

func (c *chaos) blow() {
	c.replaceLost()
	deployment := []string{"shop", "shop-canary"}[c.random.IntN(2)]
	switch k := c.random.IntN(10); {
	case k < 4:
		i := c.random.IntN(len(c.live))
		c.live[i].Kill()
		c.live[i] = c.server.Boot()
		c.server.Serve(c.live...)
	case k == 4 && len(c.live) > 1:
		c.sleep()
	case k == 5 && c.random.IntN(2) == 0 && c.space.PauseAPI(c.t, *outage):
	case k == 5:
		c.cluster.cut()
		time.Sleep(*outage)
		c.cluster.mend()
	case k == 6:
		c.space.DeleteDeployment(c.t, "shop-canary")
	case k == 7 && c.deployment(deployment) != nil:
		c.space.TryEditDeployment(c.t, deployment, `{"spec": {"replicas": 1}}`)
	case k == 8:
		c.blind = append(c.blind, time.Now())
		c.space.EditService(c.t, "shop", `{"spec": {"selector": null}}`)
	case c.deployment("shop") != nil && c.deployment("shop-canary") != nil: // an older manifest
		image := c.deployment("shop").Spec.Template.Spec.Containers[0].Image
		c.space.TryEditDeployment(c.t, "shop-canary", fmt.Sprintf(`{"spec": {"template": {"spec": {"containers": [{"name": "shop", "image": %q}]}}}}`, image))
	}
}

// sleep has one server stop for longer than its lease, while the other takes over.
func (c *chaos) sleep() {
	i := c.random.IntN(2)
	c.live[i].Stop()
	c.server.Serve(c.live[1-i])
	time.Sleep(3 * time.Second) // its sleep: the lease is 2 s
	c.live[i].Continue()
	if _, err := c.live[i].Wait(4 * time.Second); err == nil {
		c.live[i] = c.server.Boot()
	}
	c.server.Serve(c.live...)
}

// replaceLost starts another server for one that was too slow for its lease, as on a busy
// machine it may be, and so has ended.
func (c *chaos) replaceLost() {
	for i, one := range c.live {
		if !one.Alive() {
			c.live[i] = c.server.Boot()
		}
	}
	c.server.Serve(c.live...)
}

// settled waits until a release has been deployed.
func (c *chaos) settled(id delivery.ReleaseID) {
	c.t.Helper()
	var r api.Release
	if !harness.Eventually(2*time.Minute, func() bool {
		c.replaceLost()
		return c.api.Do("GET", "/releases/"+string(id), nil, &r) == nil && r.State.Terminal()
	}) || r.State != delivery.ReleaseDeployed {
		c.t.Fatalf("the release is %s: %+v, observed %+v\n%s", r.State, r.Cause, r.Observed, c.server.LogTail())
	}
}

// quiet waits until all is as after a release alone: one Deployment of the last version
// with all of its pods, and a Service that points there.
func (c *chaos) quiet(version string) {
	c.t.Helper()
	if !harness.Eventually(time.Minute, func() bool {
		c.replaceLost()
		d := c.deployment("shop")
		return d != nil && c.deployment("shop-canary") == nil && d.Status.ReadyReplicas == 3 && *d.Spec.Replicas == 3 &&
			d.Status.UpdatedReplicas == 3 && c.service("shop").Spec.Selector[manifest.LabelTrack] == string(manifest.TrackStable)
	}) {
		d := c.deployment("shop")
		c.t.Fatalf("the canary is %v; the stable version: %+v; the Service: %v\n%s", c.deployment("shop-canary") != nil, d.Status, c.service("shop").Spec.Selector, c.server.LogTail())
	}
	c.wantOnly(c.traffic, version, time.Now())
}

// checkRequests: none failed but while nobody was behind the Service, and that for 5 s
// beyond an outage of the API at most.
func (c *chaos) checkRequests() {
	c.t.Helper()
	c.traffic.mu.Lock()
	defer c.traffic.mu.Unlock()
	excused := 0
	for _, f := range c.traffic.failed {
		if slices.ContainsFunc(c.blind, func(since time.Time) bool {
			return !f.at.Before(since.Add(-time.Second)) && f.at.Before(since.Add(*outage+10*time.Second))
		}) {
			excused++
			continue
		}
		c.t.Errorf("a request failed at %s: %v", f.at.Format("15:04:05.000"), f.err)
	}
	harness.Tell(c.t, "%d requests, %d failed while the Service pointed nowhere", c.traffic.asked, excused)
}
