package joblog_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/joblog"
)

// FuzzBatches sends what a hostile or broken runner may: what is kept never
// shrinks, reads back once, in order, also from the archive, and a new process
// finds the same.
func FuzzBatches(f *testing.F) {
	f.Add([]byte(`[{"first":1,"lines":[{"stream":"out","text":"a"},{"stream":"err","text":"b"}]},{"first":2,"lines":[{"stream":"out","text":"again"},{"stream":"sys","text":"c"}]}]`))
	f.Add([]byte(`[{"gap":{"from":1,"to":9,"reason":"disk"},"first":10,"lines":[{"stream":"out","text":"x"}]},{"first":5,"lines":[{"stream":"out"}]},{}]`))
	f.Add([]byte(`[{"gap":{"from":1,"to":9007199254740992}},{"first":9007199254740992,"lines":[{"stream":"out"},{"stream":"out"}]}]`))
	f.Add([]byte(`[{"first":7,"lines":[{"stream":"out"}]},{"first":-1,"lines":[{"stream":"no"}]}]`))
	f.Fuzz(func(t *testing.T, input []byte) {
		var batches []joblog.Batch
		if json.Unmarshal(input, &batches) != nil || len(batches) > 8 {
			return
		}
		root := t.TempDir()
		s := open(t, root, "a", 1<<16)
		var acked, kept int64
		for _, b := range batches {
			ack, err := s.Append(t.Context(), attempt, b)
			if err != nil && delivery.KindOf(err) != delivery.Invalid {
				t.Fatalf("%+v: %v", b, err)
			}
			if err != nil {
				continue
			}
			n := ack.Line
			// Beyond the limit more is acknowledged than is kept.
			last := read(t, s, joblog.Query{From: -1, Limit: 1}).Last
			if n < last || last < kept {
				t.Fatalf("kept %d; acknowledged %d of %d", kept, n, last)
			}
			acked, kept = max(acked, n), last
		}
		before := all(t, s)
		next := int64(1)
		for _, l := range before {
			if l.N < next || l.N > acked {
				t.Fatalf("line %d after %d, of %d", l.N, next-1, acked)
			}
			next = l.N + 1
		}
		finish(t, s)
		if diff := cmp.Diff(before, all(t, s)); diff != "" {
			t.Fatalf("the archive differs: %s", diff)
		}
		if diff := cmp.Diff(before, all(t, open(t, root, "b"))); diff != "" {
			t.Fatalf("another process reads: %s", diff)
		}
	})
}
