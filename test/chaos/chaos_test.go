//go:build e2e

// Package chaos kills and stops the real server at random moments while runs and
// releases are in flight, and then wants everything to be as if nothing had been.
package chaos

import (
	"encoding/json"
	"flag"
	"testing"
	"time"

	"github.com/shiplock/shiplock/test/harness"
)

var (
	kills        = flag.Int("kills", 30, "how often the server is killed")
	stops        = flag.Int("stops", 3, "how often the server is stopped for longer than its lease")
	peerKills    = flag.Int("peer-kills", 10, "how often one of two servers on PostgreSQL is killed")
	peerStops    = flag.Int("peer-stops", 1, "how often one of them is stopped for longer than its lease")
	databaseEnds = flag.Int("database-ends", 4, "how often their database is restarted")

	seed = flag.Uint64("seed", 1, "seed of the random moments")
)

const lease = 2 * time.Second

// install prepares a server and a forge that know each other.
func install(t *testing.T, lease time.Duration) (*harness.Server, *harness.Forge) {
	s := harness.NewServer(t, "--lease", lease.String(), "--capacity", "4")
	forge := harness.NewForge(t, s.URL()+"/hooks/gitlab")
	s.Flags = append(s.Flags, "--gitlab-url", forge.URL)
	return s, forge
}

func start(t *testing.T) (*harness.Server, *harness.Process, *world) {
	s, forge := install(t, lease)
	p := s.Start()
	return s, p, newWorld(t, *seed, s, forge)
}

// end checks the world at rest, and that nothing is left once it is taken down.
func end(s *harness.Server, w *world, processes ...*harness.Process) {
	w.t.Helper()
	w.settle()
	w.check()
	for _, p := range processes {
		p.Kill()
	}
	s.Remove()
	w.checkNothingLives()
}

// TestKill kills the server with SIGKILL and starts it again at once.
func TestKill(t *testing.T) {
	s, p, w := start(t)
	for i := range *kills {
		w.push(w.rnd.IntN(4) > 0)
		if w.rnd.IntN(3) == 0 {
			w.releaseToProd()
		}
		time.Sleep(time.Duration(w.rnd.IntN(700)) * time.Millisecond) // the random moment itself
		p.Kill()
		before := time.Now()
		p = s.Start()
		t.Logf("kill %d of %d: accepting again after %s", i+1, *kills, time.Since(before).Round(time.Millisecond))
	}
	end(s, w, p)
}

// TestStop stops the server for longer than its lease while another one takes
// over. The old one wakes, writes nothing, and ends.
func TestStop(t *testing.T) {
	s, p, w := start(t)
	for range *stops {
		for range 3 {
			w.push(true)
		}
		w.releaseToProd()
		time.Sleep(time.Duration(w.rnd.IntN(500)) * time.Millisecond) // the random moment itself
		p.Stop()
		next := s.Start() // waits until the stopped one's lease is over
		w.push(true)
		p.Continue()
		if code, err := p.Wait(4 * lease); err != nil || code == 0 {
			t.Fatalf("the server that lost its lease: exit %d, %v", code, err)
		}
		p = next
	}
	end(s, w, p)
}

func decode(data json.RawMessage, into any) error { return json.Unmarshal(data, into) }
