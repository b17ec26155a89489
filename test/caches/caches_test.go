//go:build e2e

// Package caches tests build caches through the real binaries.
package caches

import (
	"flag"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

var rounds = flag.Int("rounds", 2, "how often eight builds share a cache while one of them is killed")

func kill(pid int) bool { return syscall.Kill(pid, syscall.SIGKILL) == nil }

// Eight builds of one app work on one cache at a time, and one of them is killed
// while it publishes. Every build sees one whole snapshot, and nobody else's changes.
func TestParallelBuildsOfOneCache(t *testing.T) {
	const parallel = 8
	w := newWorld(t, 250, "shop")
	sha := w.repos["shop"].Commit("first")
	w.repos["shop"].Push("main", "dev")
	w.await(w.start("shop", "dev", sha))
	killed, lost, hits := 0, 0, 0
	began := time.Now()
	for range *rounds {
		var ids []delivery.RunID
		for range parallel {
			ids = append(ids, w.start("shop", "dev", sha))
		}
		if w.killPublisher(ids) {
			killed++
		}
		for _, r := range w.await(ids...) {
			lost += len(r.Jobs[0].Lost)
			if use(r).Result == delivery.CacheHit {
				hits++
			}
		}
		if n := w.checkSnapshots(); n == 0 {
			t.Fatal("there is no snapshot")
		}
	}
	t.Logf("%d rounds of %d builds: %d killed while publishing, %d attempts lost and repeated, %d of %d restored; %s",
		*rounds, parallel, killed, lost, hits, *rounds*parallel, time.Since(began).Round(time.Second))
	if killed == 0 {
		t.Error("none was killed while publishing")
	}
	if hits < *rounds*parallel {
		t.Errorf("only %d builds had the cache", hits)
	}
}

// What an unprotected branch leaves in its cache is seen by its own app's unprotected
// builds, and by nobody else.
func TestPoisonStaysWithUnprotectedBuilds(t *testing.T) {
	w := newWorld(t, 100, "shop", "cart")
	shop := w.repos["shop"]
	clean := shop.Commit("clean")
	shop.Push("main", "release")
	first := w.await(w.start("shop", "prod", clean))[0]
	if u := use(first); u.Published == 0 || u.PublishedTo != delivery.ProtectedDomain {
		t.Fatalf("a protected build published %+v", u)
	}

	shop.Write("poison", "evil", 0o644)
	poisoned := shop.Commit("poison")
	shop.Push("dev")
	bad := w.await(w.start("shop", "dev", poisoned))[0]
	if u := use(bad); u.Result != delivery.CacheHit || u.Domain != delivery.ProtectedDomain || u.PublishedTo != "app-shop" {
		t.Errorf("an unprotected build had %+v, want the protected snapshot to start from, and its own to publish", u)
	}

	cart := w.repos["cart"]
	other := cart.Commit("clean")
	cart.Push("main", "dev")
	for _, c := range []struct {
		app, env, sha, poison, domain string
	}{
		{"shop", "prod", clean, "", delivery.ProtectedDomain},
		{"cart", "dev", other, "", delivery.ProtectedDomain},
		{"shop", "test", clean, "evil", "app-shop"},
	} {
		run := w.await(w.start(c.app, c.env, c.sha))[0]
		if text := w.api.LogText(run.ID); !strings.Contains(text, " poison="+c.poison+"\n") {
			t.Errorf("%s for %s saw another cache than it may:\n%s", c.app, c.env, text)
		}
		if u := use(run); u.Result != delivery.CacheHit || u.Domain != c.domain {
			t.Errorf("%s for %s had %+v, want a hit in %s", c.app, c.env, u, c.domain)
		}
	}
}

// A cache for other key files is a start, and says what changed.
func TestChangedKeySaysWhy(t *testing.T) {
	w := newWorld(t, 50, "shop")
	shop := w.repos["shop"]
	sha := shop.Commit("first")
	shop.Push("main", "dev")
	w.await(w.start("shop", "dev", sha))
	shop.Write("lock", "2", 0o644)
	second := w.await(w.start("shop", "dev", commitAndPush(shop)))[0]
	if u := use(second); u.Result != delivery.CacheStale || len(u.Changed) != 1 || u.Changed[0] != "lock" || u.Published == 0 {
		t.Errorf("after its key changed the cache was %+v", u)
	}
	if text := w.api.LogText(second.ID); !strings.Contains(text, "cache store: missed because lock changed; started from the snapshot of shop#1, ") {
		t.Errorf("the log does not say why:\n%s", text)
	}
	third := w.await(w.start("shop", "dev", sha))[0]
	if u := use(third); u.Result != delivery.CacheHit || u.Run != "shop#1" {
		t.Errorf("the snapshot for the first key is %+v", u)
	}
}

func commitAndPush(r *harness.Repo) string {
	sha := r.Commit("change")
	r.Push("dev")
	return sha
}
