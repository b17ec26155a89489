package supervisor

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/deployer/local"
)

// load sends requests without a pause until stopped.
type load struct {
	sent, failed atomic.Int64
	wg           sync.WaitGroup
	stop         chan struct{}
}

func newLoad(t testing.TB, url string, workers int) *load {
	l := &load{stop: make(chan struct{})}
	transport := &http.Transport{MaxIdleConnsPerHost: workers}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	for range workers {
		l.wg.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				l.sent.Add(1)
				res, err := client.Post(url, "text/plain", strings.NewReader("body"))
				if err != nil || res.StatusCode != http.StatusOK {
					l.failed.Add(1)
				}
				if err == nil {
					res.Body.Close()
				}
			}
		})
	}
	return l
}

func (l *load) end() (sent, failed int64) {
	close(l.stop)
	l.wg.Wait()
	return l.sent.Load(), l.failed.Load()
}

// share counts who answers n requests, sent by several callers at once.
func share(t testing.TB, url string, n int) map[string]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	count := map[string]int{}
	for range 8 {
		wg.Go(func() {
			for range n / 8 {
				revision, _, _ := fetch(t, url)
				mu.Lock()
				count[revision]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return count
}

func TestCanaryFullRollbackLoseNothing(t *testing.T) {
	b := newBench(t)
	b.apply(wish(1, version("r1", 100, "")))
	url := b.healthy(1).URL

	began := time.Now()
	b.apply(wish(2, version("r1", 75, ""), version("r2", 25, "")))
	b.healthy(2)
	t.Logf("canary healthy %s after apply", time.Since(began))
	if got := share(t, url, 400); got["r2"] < 99 || got["r2"] > 101 {
		t.Errorf("share of 400 at 25 %%: %v", got)
	}

	l := newLoad(t, url, 16)
	b.apply(wish(3, version("r1", 0, ""), version("r2", 100, "")))
	if got := share(t, url, 80); got["r2"] != 80 {
		t.Errorf("share at full: %v", got)
	}
	began = time.Now()
	b.apply(wish(4, version("r1", 100, ""), version("r2", 0, "")))
	switched := time.Since(began)
	if got := share(t, url, 80); got["r1"] != 80 {
		t.Errorf("share after rollback: %v", got)
	}
	b.apply(wish(5, version("r1", 100, "")))
	b.until("r2 is gone", func(o local.Observation) bool { return o.Generation == 5 && !o.Draining })
	eventually(t, "several hundred requests are sent", func() bool { return l.sent.Load() >= 500 })
	sent, failed := l.end()
	t.Logf("rollback switch %s; %d requests under load, %d failed", switched, sent, failed)
	if failed > 0 {
		t.Errorf("%d of %d requests failed", failed, sent)
	}
	o, err := b.client.Observe(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := o.Version("r2"); v.State != local.Stopped || v.Failed != 0 {
		t.Errorf("r2 after its removal: %+v", v)
	}
}

func TestReplacedVersionServesUntilTheNewOneIsHealthy(t *testing.T) {
	b := newBench(t)
	b.apply(wish(1, version("r1", 100, "")))
	url := b.healthy(1).URL
	l := newLoad(t, url, 4)
	b.apply(wish(2, version("r2", 100, "")))
	b.until("r1 is gone", func(o local.Observation) bool { return o.Generation == 2 && !o.Draining })
	if sent, failed := l.end(); failed > 0 {
		t.Errorf("%d of %d requests failed", failed, sent)
	}
	if revision, _, _ := fetch(t, url); revision != "r2" {
		t.Errorf("answered by %s", revision)
	}
}

func TestRestartReplacesEveryInstanceWithoutLoss(t *testing.T) {
	b := newBench(t)
	v := version("r1", 100, "")
	v.Config.Replicas = 2
	b.apply(wish(1, v))
	before := b.healthy(1)
	l := newLoad(t, before.URL, 4)
	again := wish(2, v)
	again.RestartedAt = 1
	b.apply(again)
	after := b.until("all are new", func(o local.Observation) bool {
		return o.Generation == 2 && !o.Draining && o.Versions[0].Ready == 2 && o.Versions[0].PIDs[0] != before.Versions[0].PIDs[0] && len(b.processes()) == 2
	})
	if sent, failed := l.end(); failed > 0 {
		t.Errorf("%d of %d requests failed", failed, sent)
	}
	for _, pid := range after.Versions[0].PIDs {
		if pid == before.Versions[0].PIDs[0] || pid == before.Versions[0].PIDs[1] {
			t.Errorf("pid %d was there before", pid)
		}
	}
}

func TestScaleLeavesTheInstancesThatStay(t *testing.T) {
	b := newBench(t)
	v := version("r1", 100, "")
	b.apply(wish(1, v))
	first := b.healthy(1).Versions[0].PIDs[0]
	for generation, replicas := range []int{3, 1} {
		v.Config.Replicas = replicas
		b.apply(wish(int64(generation+2), v))
		after := b.until("they are as many", func(o local.Observation) bool {
			return o.Generation == int64(generation+2) && !o.Draining && o.Versions[0].Ready == replicas && len(b.processes()) == replicas
		})
		if !slices.Contains(after.Versions[0].PIDs, first) {
			t.Errorf("of %d instances %v none is the first one, %d", replicas, after.Versions[0].PIDs, first)
		}
	}
}

func TestCrashAtStartKeepsTheOldAndShowsWhy(t *testing.T) {
	b := newBench(t)
	b.apply(wish(1, version("r1", 100, "")))
	url := b.healthy(1).URL
	l := newLoad(t, url, 4)
	began := time.Now()
	b.apply(wish(2, version("r1", 50, ""), version("r2", 50, "crash")))
	o := b.until("r2 is given up", func(o local.Observation) bool {
		v, _ := o.Version("r2")
		return v.GaveUp
	})
	t.Logf("given up after %s", time.Since(began))
	if sent, failed := l.end(); failed > 0 {
		t.Errorf("%d of %d requests failed", failed, sent)
	}
	v, _ := o.Version("r2")
	if v.State != local.Crashed || v.ExitCode == nil || *v.ExitCode != 3 || v.Requests != 0 || v.Effective != 0 || v.Asked != 50 {
		t.Errorf("status: %+v", v)
	}
	if v.Reason != "start.sh exited with code 3 before it was healthy" {
		t.Errorf("reason: %s", v.Reason)
	}
	if n := len(v.LogTail); n == 0 || v.LogTail[n-1] != "panic: no database" {
		t.Errorf("log tail: %q", v.LogTail)
	}
	if r1, _ := o.Version("r1"); r1.Effective != 100 {
		t.Errorf("r1 gets %v %%", r1.Effective)
	}
}

func TestNeverHealthyNeverServes(t *testing.T) {
	b := newBench(t)
	sick := version("r1", 100, "sick")
	sick.Config.HealthTimeoutMS = 1500
	o := b.apply(wish(1, sick))
	o = b.until("it is given up", func(o local.Observation) bool { return o.Versions[0].GaveUp })
	v := o.Versions[0]
	if v.State != local.Unhealthy || v.Reason != "not healthy within 1.5s: GET /health answered 500 Internal Server Error" {
		t.Errorf("status: %+v", v)
	}
	_, status, body := fetch(t, o.URL)
	want := "shiplock: no healthy version of shop/prod: r1 is unhealthy (" + v.Reason + ")\n"
	if status != http.StatusServiceUnavailable || body != want {
		t.Errorf("answer: %d %q", status, body)
	}
	b.noProcess()
	if o, _ := b.client.Observe(context.Background(), key); o.Unserved != 1 {
		t.Errorf("unserved: %d", o.Unserved)
	}
}

func TestMissingImageIsAReason(t *testing.T) {
	b := newBench(t)
	v := version("r1", 100, "")
	v.Image = "shop:missing"
	b.apply(wish(1, v))
	o := b.until("it is given up", func(o local.Observation) bool { return o.Versions[0].GaveUp })
	if got := o.Versions[0].Reason; got != "unpack shop:missing: image shop:missing is not in the registry" {
		t.Errorf("reason: %s", got)
	}
}

func TestSickVersionLosesItsTraffic(t *testing.T) {
	b := newBench(t)
	b.apply(wish(1, version("r1", 0, ""), version("r2", 100, "")))
	url := b.healthy(1).URL
	fetch(t, url+"/sicken")
	o := b.until("r2 is out", func(o local.Observation) bool {
		v, _ := o.Version("r2")
		return v.State == local.Unhealthy
	})
	if r1, _ := o.Version("r1"); r1.Effective != 100 {
		t.Errorf("r1 gets %v %%", r1.Effective)
	}
	if revision, status, _ := fetch(t, url); revision != "r1" || status != http.StatusOK {
		t.Errorf("answered by %s with %d", revision, status)
	}
}

func TestHealthyVersionIsStartedAgainAfterACrash(t *testing.T) {
	b := newBench(t)
	b.apply(wish(1, version("r1", 100, "")))
	o := b.healthy(1)
	pid := o.Versions[0].PIDs[0]
	res, err := http.Post(o.URL+"/exit", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusBadGateway {
		t.Errorf("status of the request in flight: %d", res.StatusCode)
	}
	o = b.until("it is back", func(o local.Observation) bool { return o.Versions[0].Restarts == 1 && o.Versions[0].Ready == 1 })
	v := o.Versions[0]
	if v.PIDs[0] == pid || v.Failed != 1 || v.ExitCode == nil || *v.ExitCode != 4 {
		t.Errorf("status: %+v", v)
	}
}

func TestFence(t *testing.T) {
	b := newBench(t)
	b.apply(wish(5, version("r1", 100, "")))
	b.healthy(5)
	b.apply(wish(5, version("r1", 100, "")))
	for name, w := range map[string]local.Wish{
		"lower generation":      wish(4, version("r1", 100, "")),
		"other content, same":   wish(5, version("r1", 99, "")),
		"other config, same":    wish(5, version("r1", 100, "crash")),
		"other listening, same": {Key: key, Generation: 5, Listen: 1, Versions: []local.Version{version("r1", 100, "")}},
	} {
		if _, err := b.client.Apply(context.Background(), w); delivery.KindOf(err) != delivery.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.client.Apply(context.Background(), wish(6, version("../r1", 100, ""))); delivery.KindOf(err) != delivery.Invalid {
		t.Errorf("bad id: %v", err)
	}
	if _, err := b.client.Observe(context.Background(), "no/app"); delivery.KindOf(err) != delivery.NotFound {
		t.Errorf("unknown target: %v", err)
	}
}
