package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/store"
)

var auditKey = []byte("the installation's key")

// onBoth runs a test on both databases; open opens one more replica.
func onBoth(t *testing.T, test func(t *testing.T, replica func() *store.Store)) {
	t.Run("SQLite", func(t *testing.T) {
		path := t.TempDir() + "/db"
		test(t, func() *store.Store { return open(t, store.Config{Path: path}) })
	})
	t.Run("Postgres", func(t *testing.T) {
		url := database(t)
		test(t, func() *store.Store { return open(t, store.Config{URL: url}) })
	})
}

var auditBegin = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func auditEntry(n int) delivery.AuditEntry {
	return delivery.AuditEntry{
		At: auditBegin.Add(time.Duration(n) * time.Minute), Actor: delivery.Actor{Kind: delivery.ActorUser, Name: "ann"},
		Command: delivery.CmdReleaseCreate, Subject: fmt.Sprint("shop/prod ", n), Rule: "administrator",
	}
}

// chained is a store with n entries, sealed.
func chained(t *testing.T, s *store.Store, n int) {
	t.Helper()
	if err := s.SealAudit(t.Context(), auditKey, true); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		commit(t, s, delivery.Change{Audit: []delivery.AuditEntry{auditEntry(i + 1)}})
	}
}

func check(t *testing.T, s *store.Store) delivery.AuditCheck {
	t.Helper()
	c, err := s.CheckAudit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantWhole(t *testing.T, s *store.Store, entries int64) {
	t.Helper()
	if c := check(t, s); len(c.Faults) > 0 || c.Entries != entries {
		t.Fatalf("the chain of %d: %+v", entries, c)
	}
}

// Whatever somebody changes in the database by hand is found, with its sequence.
func TestTamperedAudit(t *testing.T) {
	swap := func(a, b int) []string {
		return []string{
			fmt.Sprintf(`UPDATE audit SET seq = 1000 WHERE seq = %d`, a), fmt.Sprintf(`UPDATE audit SET seq = %d WHERE seq = %d`, a, b),
			fmt.Sprintf(`UPDATE audit SET seq = %d WHERE seq = 1000`, b),
		}
	}
	const forged = `INSERT INTO audit (seq, at, hash, doc) SELECT 10, at, hash, doc FROM audit WHERE seq = 9`
	onBoth(t, func(t *testing.T, replica func() *store.Store) {
		for name, tc := range map[string]struct {
			meddle []string
			seq    int64 // of the first fault
			what   string
		}{
			"entry":                {[]string{`UPDATE audit SET doc = REPLACE(doc, 'ann', 'bob') WHERE seq = 5`}, 5, "entry 5 was altered"},
			"one byte more":        {[]string{`UPDATE audit SET doc = doc || ' ' WHERE seq = 5`}, 5, "entry 5 was altered"},
			"hash":                 {[]string{`UPDATE audit SET hash = REPLACE(hash, SUBSTR(hash, 1, 8), '00000000') WHERE seq = 5`}, 5, "entry 5 was altered"},
			"time":                 {[]string{`UPDATE audit SET at = at + 1 WHERE seq = 5`}, 5, "time of entry 5"},
			"number":               {[]string{`UPDATE audit SET seq = 100 WHERE seq = 9`}, 9, "removed"},
			"removed":              {[]string{`DELETE FROM audit WHERE seq = 5`}, 5, "entry 5 was removed"},
			"several removed":      {[]string{`DELETE FROM audit WHERE seq IN (5, 6, 7)`}, 5, "entries 5 to 7 were removed"},
			"removed and closed":   {[]string{`DELETE FROM audit WHERE seq = 5`, `UPDATE audit SET seq = 5 WHERE seq = 6`}, 5, "entry 5 was altered"},
			"first removed":        {[]string{`DELETE FROM audit WHERE seq = 1`}, 1, "entry 1 was removed"},
			"tail cut":             {[]string{`DELETE FROM audit WHERE seq > 7`}, 8, "entries 8 to 9 were removed: they were the last ones"},
			"last removed":         {[]string{`DELETE FROM audit WHERE seq = 9`}, 9, "it was the last one"},
			"tail and head cut":    {[]string{`DELETE FROM audit WHERE seq > 7`, `UPDATE audit_head SET seq = 7, n = 7, hash = (SELECT hash FROM audit WHERE seq = 7)`}, 0, "head of the chain was changed"},
			"all removed":          {[]string{`DELETE FROM audit`}, 1, "entries 1 to 9 were removed"},
			"all and head removed": {[]string{`DELETE FROM audit`, `UPDATE audit_head SET seq = 0, n = 0, hash = '` + delivery.NoAudit + `'`}, 0, "head of the chain was changed"},
			"exchanged":            {swap(4, 6), 4, "entry 4 was altered"},
			"inserted at the end":  {[]string{forged}, 10, "entry 10 was altered"},
			"count":                {[]string{`UPDATE audit_head SET n = n + 1`}, 0, "the head counts 10"},
			"anchor":               {[]string{`DELETE FROM audit WHERE seq < 4`, `UPDATE audit_head SET n = n - 3, anchor_seq = 3, anchor_hash = (SELECT hash FROM audit WHERE seq = 4)`}, 4, "entry 4 was altered"},
			"seal taken off":       {[]string{`UPDATE audit_head SET seal = ''`}, 0, "head of the chain was changed"},
		} {
			t.Run(name, func(t *testing.T) {
				s := replica()
				if err := s.Meddle(t.Context(), `DELETE FROM audit`, `UPDATE audit_head SET seq = 0, n = 0, anchor_seq = 0, hash = '`+delivery.NoAudit+`', anchor_hash = '`+delivery.NoAudit+`'`); err != nil {
					t.Fatal(err)
				}
				chained(t, s, 9)
				wantWhole(t, s, 9)
				if err := s.Meddle(t.Context(), tc.meddle...); err != nil {
					t.Fatal(err)
				}
				c := check(t, s)
				if len(c.Faults) == 0 || c.Faults[0].Seq != tc.seq || !strings.Contains(c.Faults[0].What, tc.what) {
					t.Errorf("found %+v, want %q at %d", c.Faults, tc.what, tc.seq)
				}
				// It stays so: what is written later heals nothing.
				commit(t, s, delivery.Change{Audit: []delivery.AuditEntry{auditEntry(50)}})
				if c := check(t, s); len(c.Faults) == 0 {
					t.Error("one more entry healed the chain")
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}

// Several replicas that write at once make one chain, without gaps.
func TestAuditOfManyWriters(t *testing.T) {
	onBoth(t, func(t *testing.T, replica func() *store.Store) {
		stores := []*store.Store{replica(), replica(), replica()}
		chained(t, stores[0], 0)
		const writers, each = 4, 15
		var wg sync.WaitGroup
		for i, s := range stores {
			if err := s.SealAudit(t.Context(), auditKey, false); err != nil {
				t.Fatal(err)
			}
			for w := range writers {
				wg.Go(func() {
					for n := range each {
						c := &delivery.Change{Audit: []delivery.AuditEntry{auditEntry(n), auditEntry(n)}}
						if n%5 == 4 { // refused as a whole
							c.Documents = []delivery.DocumentChange{{Document: delivery.Document{Kind: "App", Name: "x", Version: 7}}}
						}
						_, err := s.Commit(t.Context(), c)
						if refused := n%5 == 4; refused != (delivery.KindOf(err) == delivery.Conflict && err != nil) {
							t.Errorf("replica %d, writer %d: %v", i, w, err)
						}
					}
				})
			}
			wg.Go(func() {
				for range 5 {
					if c, err := s.CheckAudit(t.Context()); err != nil || len(c.Faults) > 0 {
						t.Errorf("while others write: %+v, %v", c, err)
					}
				}
			})
		}
		wg.Wait()
		wantWhole(t, stores[1], int64(len(stores)*writers*each*2*4/5))
	})
}

// What retention lets go is not missed, and what somebody else removes is.
func TestAuditAfterRetention(t *testing.T) {
	onBoth(t, func(t *testing.T, replica func() *store.Store) {
		s := replica()
		chained(t, s, 20)
		for range 3 {
			if n, err := s.ForgetAudit(t.Context(), auditBegin.Add(8*time.Minute), 3); n > 3 || err != nil {
				t.Fatalf("%d went, %v", n, err)
			}
		}
		c := check(t, s)
		if len(c.Faults) > 0 || c.Entries != 13 || c.First != 8 || c.Let != 7 || c.Last != 20 {
			t.Fatalf("got %+v", c)
		}
		if err := s.Meddle(t.Context(), `DELETE FROM audit WHERE seq = 8`); err != nil {
			t.Fatal(err)
		}
		if c := check(t, s); len(c.Faults) == 0 || c.Faults[0].Seq != 8 {
			t.Errorf("got %+v", c)
		}
	})
}

// Entries from before the chain are taken over, gaps in their numbers and all.
func TestAuditFromBeforeTheChain(t *testing.T) {
	onBoth(t, func(t *testing.T, replica func() *store.Store) {
		s := replica()
		docs := map[int64]string{}
		for i := range 2500 {
			docs[int64(100+i+i/700)] = fmt.Sprintf(`{"seq":0,"at":%q,"actor":{"kind":"user","name":"ann"},"command":"run.start","subject":"s%d","rule":"r"}`,
				auditBegin.Add(time.Duration(i)*time.Second).Format(time.RFC3339Nano), i)
		}
		if err := s.ChainAgain(t.Context(), docs); err != nil {
			t.Fatal(err)
		}
		if err := s.SealAudit(t.Context(), auditKey, true); err != nil {
			t.Fatal(err)
		}
		wantWhole(t, s, 2500)
		newest, err := s.Audit(t.Context(), 0, 1)
		if err != nil || newest[0].Seq != 2602 || newest[0].Subject != "s2499" {
			t.Errorf("the newest is %+v, %v", newest, err)
		}
		commit(t, s, delivery.Change{Audit: []delivery.AuditEntry{auditEntry(1)}})
		wantWhole(t, s, 2501)
	})
}

// Random histories of writing and forgetting verify, and after any one meddling they
// do not.
func TestAuditProperties(t *testing.T) {
	s := open(t, store.Config{})
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		must(s.Meddle(t.Context(), `DELETE FROM audit`, `UPDATE audit_head SET seq = 0, n = 0, anchor_seq = 0, hash = '`+delivery.NoAudit+`', anchor_hash = '`+delivery.NoAudit+`'`))
		must(s.SealAudit(t.Context(), auditKey, true))
		n := 0
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			if rapid.IntRange(0, 3).Draw(r, "forget") == 0 {
				_, err := s.ForgetAudit(t.Context(), auditBegin.Add(time.Duration(n/2)*time.Minute), rapid.IntRange(1, 4).Draw(r, "limit"))
				must(err)
				continue
			}
			var c delivery.Change
			for range rapid.IntRange(1, 4).Draw(r, "entries") {
				n++
				c.Audit = append(c.Audit, auditEntry(n))
			}
			commit(t, s, c)
		}
		if c := check(t, s); len(c.Faults) > 0 {
			r.Fatalf("an honest history: %+v", c)
		}
		records, err := s.AuditRecords(t.Context(), 0, time.Time{}, 100)
		must(err)
		if len(records) == 0 {
			return
		}
		at := records[rapid.IntRange(0, len(records)-1).Draw(r, "at")].Seq
		must(s.Meddle(t.Context(), fmt.Sprintf(rapid.SampledFrom([]string{
			`DELETE FROM audit WHERE seq = %d`, `UPDATE audit SET doc = doc || ' ' WHERE seq = %d`, `UPDATE audit SET at = at - 1 WHERE seq = %d`,
			`UPDATE audit SET hash = '' WHERE seq = %d`, `UPDATE audit SET seq = seq + 1000 WHERE seq = %d`, `DELETE FROM audit WHERE seq >= %d`,
			`DELETE FROM audit WHERE seq <= %d`,
		}).Draw(r, "meddling"), at)))
		if c := check(t, s); len(c.Faults) == 0 {
			r.Fatal("it was not found")
		}
	})
}
