package joblog_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/joblog"
)

// BenchmarkAppendFollow measures the time from the call of Append to the tail
// that has the line: 8 attempts, each 1,000 lines/s in batches of 20.
func BenchmarkAppendFollow(b *testing.B) {
	const attempts, perBatch, every = 8, 20, 20 * time.Millisecond
	s := open(b, b.TempDir(), "a")
	var mu sync.Mutex
	var delays []time.Duration
	var work sync.WaitGroup
	for i := range attempts {
		name := fmt.Sprintf("job-%d", i)
		work.Go(func() {
			ds := delaysOf(b, s.Follow(name, 1))
			mu.Lock()
			defer mu.Unlock()
			delays = append(delays, ds...)
		})
		work.Go(func() {
			tick := time.NewTicker(every)
			defer tick.Stop()
			for n := range b.N {
				<-tick.C
				appendStamped(b, s, name, int64(n)*perBatch+1, perBatch)
			}
			if err := s.Finish(b.Context(), name, ""); err != nil {
				b.Error(err)
			}
		})
	}
	work.Wait()
	slices.Sort(delays)
	report := func(q int, unit string) {
		b.ReportMetric(float64(delays[len(delays)*q/1000].Microseconds())/1000, unit)
	}
	report(500, "p50-ms")
	report(990, "p99-ms")
	report(999, "p99.9-ms")
	b.ReportMetric(residentMB(b), "peak-rss-MB")
}

func appendStamped(b *testing.B, s *joblog.Store, name string, first int64, count int) {
	batch := joblog.Batch{First: first}
	now := time.Now().UnixMicro()
	for range count {
		batch.Lines = append(batch.Lines, joblog.Entry{At: now, Step: "build", Stream: joblog.Out, Text: benchText})
	}
	if _, err := s.Append(b.Context(), name, batch); err != nil {
		b.Error(err)
	}
}

func delaysOf(b *testing.B, tail *joblog.Tail) (ds []time.Duration) {
	for {
		ls, err := tail.Next(context.Background())
		if err != nil {
			return ds
		}
		now := time.Now().UnixMicro()
		for _, l := range ls {
			ds = append(ds, time.Duration(now-l.At)*time.Microsecond)
		}
	}
}

var benchText = "[INFO] Compiling 123 source files to /home/build/target/classes " + strings.Repeat(".", 40)

// BenchmarkAppend is the throughput of one attempt in batches of 500 lines.
func BenchmarkAppend(b *testing.B) {
	s := open(b, b.TempDir(), "a", 1<<40)
	const perBatch = 500
	b.SetBytes(int64(perBatch * len(benchText)))
	for n := int64(0); b.Loop(); n++ {
		appendStamped(b, s, attempt, n*perBatch+1, perBatch)
	}
	b.ReportMetric(float64(perBatch)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// benchLog holds 100 MB of text.
func benchLog(b *testing.B) *joblog.Store {
	s := open(b, b.TempDir(), "a")
	const perBatch = 5000
	for n := int64(0); n < 100<<20/int64(len(benchText))/perBatch; n++ {
		appendStamped(b, s, attempt, n*perBatch+1, perBatch)
	}
	return s
}

// BenchmarkTail reads the last 100 lines of a log of 100 MB, open and closed.
func BenchmarkTail(b *testing.B) {
	s := benchLog(b)
	for _, state := range []string{"open", "closed"} {
		b.Run(state, func(b *testing.B) {
			for b.Loop() {
				if p := read(b, s, joblog.Query{From: -100}); len(p.Lines) != 100 {
					b.Fatal(len(p.Lines))
				}
			}
		})
		finish(b, s)
	}
}

// BenchmarkFinish packs a log of 100 MB.
func BenchmarkFinish(b *testing.B) {
	b.SetBytes(100 << 20)
	for b.Loop() {
		b.StopTimer()
		s := benchLog(b)
		runtime.GC()
		b.StartTimer()
		finish(b, s)
	}
	b.ReportMetric(residentMB(b), "peak-rss-MB")
}

// residentMB is the process's peak.
func residentMB(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kb float64
	fmt.Sscan(rest, &kb)
	return kb / 1024
}
