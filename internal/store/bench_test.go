package store_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/store"
	"github.com/shiplock/shiplock/internal/store/storetest"
)

// latencies collects from many goroutines and reports quantiles.
type latencies struct {
	mu  sync.Mutex
	all []time.Duration
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	l.all = append(l.all, d)
	l.mu.Unlock()
}

func (l *latencies) report(b *testing.B) {
	slices.Sort(l.all)
	for name, q := range map[string]int{"p50-µs": 50, "p99-µs": 99} {
		b.ReportMetric(float64(l.all[(len(l.all)-1)*q/100].Microseconds()), name)
	}
}

// progress commits one more fact about a run, with the wake, history and
// completion that the engine writes with it.
func progress(b *testing.B, s *store.Store, r *delivery.Run, claim delivery.Claim) delivery.Claim {
	r.Jobs[0].Seq++
	c := delivery.Change{
		Runs:    []*delivery.Run{r},
		History: []delivery.HistoryEntry{{Ref: r.Ref(), Version: r.Version + 1, Name: "step.reported", Actor: delivery.System(), At: time.Now()}},
		Wakes:   []delivery.Wake{{Ref: r.Ref()}},
		Done:    &claim,
	}
	return commit(b, s, c)[0]
}

func begin(b *testing.B, s *store.Store, app string) (*delivery.Run, delivery.Claim) {
	r := storetest.NewRun(newID(), app, "dev")
	return r, commit(b, s, delivery.Change{Runs: []*delivery.Run{r}, Wakes: []delivery.Wake{{Ref: r.Ref()}}})[0]
}

func BenchmarkCommit(b *testing.B) { benchCommit(b, func(testing.TB) string { return "" }) }

// BenchmarkCommitPostgres is without fsync, as the tests' server: with it the disk
// is what is measured.
func BenchmarkCommitPostgres(b *testing.B) { benchCommit(b, database) }

func benchCommit(b *testing.B, url func(testing.TB) string) {
	for name, parallel := range map[string]int{"1": 1, "32": 32} {
		b.Run(name, func(b *testing.B) {
			s := open(b, store.Config{URL: url(b)})
			var l latencies
			turns := make(chan struct{}, b.N)
			for range b.N {
				turns <- struct{}{}
			}
			close(turns)
			var all sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for range parallel {
				r, claim := begin(b, s, "shop")
				all.Go(func() {
					for range turns {
						start := time.Now()
						claim = progress(b, s, r, claim)
						l.add(time.Since(start))
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
			l.report(b)
		})
	}
}

// BenchmarkClaim takes a due wake and puts it off again.
func BenchmarkClaim(b *testing.B) {
	s := open(b, store.Config{})
	var l latencies
	r, claim := begin(b, s, "shop")
	_ = r
	for b.Loop() {
		start := time.Now()
		if err := s.PutOff(b.Context(), claim, start.Add(-time.Second), "busy"); err != nil {
			b.Fatal(err)
		}
		claims, _, err := s.Claim(b.Context(), 1)
		if err != nil || len(claims) != 1 {
			b.Fatal(claims, err)
		}
		claim = claims[0]
		l.add(time.Since(start))
	}
	l.report(b)
}

func BenchmarkLoadRun(b *testing.B) {
	s := open(b, store.Config{})
	r, _ := begin(b, s, "shop")
	for b.Loop() {
		if _, err := s.Run(b.Context(), r.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSlots(b *testing.B) {
	s := open(b, store.Config{})
	for team := range 20 {
		var c delivery.Change
		for range 25 {
			r := storetest.NewRun(newID(), "shop", "dev")
			r.Team = string(rune('a' + team))
			c.Runs = append(c.Runs, r)
		}
		commit(b, s, c)
	}
	for b.Loop() {
		if _, waiting, err := s.Slots(b.Context(), time.Now(), 8); err != nil || len(waiting) != 160 {
			b.Fatal(len(waiting), err)
		}
	}
}

// BenchmarkAudit commits a target's change with and without an entry of the audit, to
// show what the chain costs.
func BenchmarkAudit(b *testing.B) { benchAudit(b, func(testing.TB) string { return "" }) }

// BenchmarkAuditPostgres is without fsync, as the tests' server.
func BenchmarkAuditPostgres(b *testing.B) { benchAudit(b, database) }

func benchAudit(b *testing.B, url func(testing.TB) string) {
	for name, entries := range map[string][]delivery.AuditEntry{"without": nil, "with": {auditEntry(1)}} {
		for workers, parallel := range map[string]int{"1": 1, "32": 32} {
			b.Run(name+"/"+workers, func(b *testing.B) {
				s := open(b, store.Config{URL: url(b)})
				if err := s.SealAudit(b.Context(), auditKey, true); err != nil {
					b.Fatal(err)
				}
				var all sync.WaitGroup
				b.ResetTimer()
				for w := range parallel {
					all.Go(func() {
						t := &delivery.Target{App: newID(), Env: "dev"}
						for range b.N/parallel + min(1, b.N%parallel/(w+1)) {
							commit(b, s, delivery.Change{Targets: []*delivery.Target{t}, Audit: entries})
						}
					})
				}
				all.Wait()
			})
		}
	}
}
