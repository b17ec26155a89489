//go:build e2e

package chaos

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/postgres"
)

const (
	database = "shiplock"
	// peerLease is longer than a restart of the database.
	peerLease = 4 * time.Second
)

// TestPeers has two servers on one PostgreSQL database, and kills and stops one of
// them, or restarts the database, at random moments.
func TestPeers(t *testing.T) {
	db, err := postgres.Start()
	if errors.Is(err, postgres.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	db.Exec(t, "postgres", "CREATE DATABASE "+database)
	s, forge := install(t, peerLease)
	s.Database = db.URL(database)
	p := peers{t: t, s: s, db: db, live: []*harness.Process{s.Boot(), s.Boot()}}
	s.Serve(p.live...)
	p.watchOwners()
	p.refuseStranger()
	p.world = newWorld(t, *seed, s, forge)
	p.checkTails()
	for i, blow := range blows(p.world.rnd) {
		p.push()
		time.Sleep(time.Duration(p.world.rnd.IntN(700)) * time.Millisecond) // the random moment itself
		before := time.Now()
		blow(&p)
		t.Logf("blow %d: done after %s", i+1, time.Since(before).Round(time.Millisecond))
		p.replaceLost()
	}
	p.world.settle()
	p.checkOwners()
	end(s, p.world, p.live...)
}

// blows are what befalls the servers, in random order.
func blows(rnd *rand.Rand) []func(*peers) {
	var all []func(*peers)
	for range *peerKills {
		all = append(all, (*peers).kill)
	}
	for range *peerStops {
		all = append(all, (*peers).stop)
	}
	for i := range *databaseEnds {
		all = append(all, func(p *peers) { p.restart([]postgres.Mode{postgres.Immediate, postgres.Fast}[i%2]) })
	}
	rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// peers are two servers and their database.
type peers struct {
	t     *testing.T
	s     *harness.Server
	db    *postgres.Server
	world *world
	live  []*harness.Process
}

func (p *peers) push() {
	p.world.push(p.world.rnd.IntN(4) > 0)
	if p.world.rnd.IntN(3) == 0 {
		p.world.releaseToProd()
	}
}

// kill ends one server with SIGKILL and starts another.
func (p *peers) kill() {
	i := p.world.rnd.IntN(2)
	p.live[i].Kill()
	p.live[i] = p.s.Boot()
	p.s.Serve(p.live...)
}

// stop has one server sleep for longer than its lease, while the other one does its
// work. When it wakes it writes nothing and ends; only when it had nothing to do, and
// so was not missed by anybody, it goes on.
func (p *peers) stop() {
	for range 3 {
		p.push()
	}
	i := p.world.rnd.IntN(2)
	sleeper := p.live[i]
	sleeper.Stop()
	p.s.Serve(p.live[1-i])
	p.push()
	time.Sleep(peerLease + peerLease/2) // its sleep
	sleeper.Continue()
	switch code, err := sleeper.Wait(2 * peerLease); {
	case err == nil && code == 0:
		p.t.Fatal("the server that lost its lease says that all is well")
	case err == nil:
		p.live[i] = p.s.Boot()
	case p.registered() < 2:
		p.t.Fatalf("the server that lost its lease: %v", err)
	default:
		p.t.Log("nobody missed the sleeper")
	}
	p.s.Serve(p.live...)
}

// registered counts the servers that nobody has taken over from.
func (p *peers) registered() int {
	p.t.Helper()
	rows := p.db.Query(p.t, database, `SELECT id FROM replicas`)
	return len(rows)
}

// restart takes the database away for a moment.
func (p *peers) restart(m postgres.Mode) {
	p.db.Down(m)
	if err := p.db.Up(); err != nil {
		p.t.Fatal(err)
	}
}

// replaceLost starts another server for one that was too slow for its lease, as on a
// busy machine it may be, and so has ended.
func (p *peers) replaceLost() {
	p.t.Helper()
	for i, one := range p.live {
		if one.Alive() {
			continue
		}
		if code, err := one.Wait(time.Second); err != nil || code == 0 {
			p.t.Fatalf("a server ended: exit %d, %v\n%s", code, err, p.s.LogTail())
		}
		p.t.Log("a server lost its lease")
		p.live[i] = p.s.Boot()
	}
	p.s.Serve(p.live...)
}

// refuseStranger: a server that does not have the others' files is not let in.
func (p *peers) refuseStranger() {
	p.t.Helper()
	stranger := harness.NewServer(p.t)
	stranger.Database = p.s.Database
	code, err := stranger.Launch().Wait(10 * time.Second)
	if err != nil || code == 0 || !strings.Contains(stranger.LogTail(), "servers of one database share one directory") {
		p.t.Errorf("a server with a data directory of its own: exit %d, %v\n%s", code, err, stranger.LogTail())
	}
}

// watchOwners has the database itself write down every change of a wake's owner: who
// made it, and whether the owner before was registered as alive.
func (p *peers) watchOwners() {
	p.t.Helper()
	p.db.Exec(p.t, database, `
		CREATE TABLE owners (
			seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			wake TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, actor TEXT NOT NULL, alive BOOLEAN NOT NULL)`, `
		CREATE FUNCTION note_owner() RETURNS trigger LANGUAGE plpgsql AS $$
		DECLARE
			before TEXT := CASE TG_OP WHEN 'INSERT' THEN '' ELSE OLD.owner END;
			after  TEXT := CASE TG_OP WHEN 'DELETE' THEN '' ELSE NEW.owner END;
		BEGIN
			IF before <> after THEN
				INSERT INTO owners (wake, before, after, actor, alive) VALUES (
					CASE TG_OP WHEN 'DELETE' THEN OLD.kind || '/' || OLD.id ELSE NEW.kind || '/' || NEW.id END,
					before, after, substr(current_setting('application_name'), 10),
					EXISTS (SELECT 1 FROM replicas WHERE id = before));
			END IF;
			RETURN NULL;
		END $$`, `
		CREATE TRIGGER owners AFTER INSERT OR UPDATE OR DELETE ON wakes FOR EACH ROW EXECUTE FUNCTION note_owner()`)
}

// checkOwners: only a server itself takes a wake or gives it back, unless it is not
// alive any more; so no wake has been worked on by two living servers at once.
func (p *peers) checkOwners() {
	p.t.Helper()
	for _, row := range p.db.Query(p.t, database, `
		SELECT wake, before, after, actor FROM owners
		WHERE after NOT IN ('', actor) OR before NOT IN ('', actor) AND (alive OR after <> '') ORDER BY seq`) {
		p.t.Errorf("%s went from %q to %q by %q", row[0], row[1], row[2], row[3])
	}
	taken := p.db.Query(p.t, database, `SELECT COUNT(*)::text, COUNT(DISTINCT after)::text FROM owners WHERE after <> ''`)[0]
	freed := p.db.Query(p.t, database, `SELECT COUNT(*)::text FROM owners WHERE before NOT IN ('', actor)`)[0]
	p.t.Logf("%s claims by %s servers, %s of them taken over from the dead", taken[0], taken[1], freed[0])
	var held [][]string
	if !harness.Eventually(10*time.Second, func() bool {
		held = p.db.Query(p.t, database, `SELECT kind || '/' || id, owner FROM wakes WHERE owner <> ''`)
		return len(held) == 0
	}) {
		p.t.Errorf("held by servers that do nothing about them: %v", held)
	}
}
