package joblog_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/joblog"
)

// TestRunnerMoves: a runner that sends now to one server and now to another, and
// repeats what it got no answer to, loses and doubles nothing, and whoever watches at
// either one sees every line once.
func TestRunnerMoves(t *testing.T) {
	root := t.TempDir()
	servers := []*joblog.Store{open(t, root, "one"), open(t, root, "two")}
	const last = 600
	seen := make([][]joblog.Line, len(servers))
	var tails sync.WaitGroup
	for i, s := range servers {
		tails.Go(func() { seen[i] = followAll(t, s) })
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for acked := int64(0); acked < last; {
		here := rnd.IntN(2)
		from := max(1, acked+1-rnd.Int64N(30)) // the answer to these was lost
		got, err := servers[here].Append(t.Context(), attempt, batch(from, min(last, acked+1+rnd.Int64N(30))))
		if err != nil || got.Line < acked {
			t.Fatalf("acknowledged %d after %d, %v", got.Line, acked, err)
		}
		acked = got.Line
		servers[1-here].Refresh(attempt)
	}
	if err := servers[0].Finish(t.Context(), attempt, ""); err != nil {
		t.Fatal(err)
	}
	servers[1].Refresh() // it heard nothing of it, only that it missed something
	tails.Wait()
	for i := range servers {
		if diff := cmp.Diff(lines(1, last), seen[i]); diff != "" {
			t.Errorf("server %d showed (-want +got):\n%s", i, diff)
		}
	}
}

func followAll(t *testing.T, s *joblog.Store) (all []joblog.Line) {
	tail := s.Follow(attempt, 1)
	for {
		some, err := tail.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Error(err)
			return all
		}
		all = append(all, some...)
	}
}
