package delivery_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/shiplock/shiplock/internal/delivery"
)

// However greedy, whoever waits for the bucket stays within the vendors' limits in every
// span of time, a message that nobody counted included.
func TestBucketsKeepTheVendorsLimits(t *testing.T) {
	type limit struct {
		span time.Duration
		most int
	}
	for vendor, limits := range map[delivery.ChatVendor][]limit{
		delivery.Feishu:   {{time.Second, 5}, {time.Minute, 100}},
		delivery.DingTalk: {{time.Minute, 20}},
		delivery.WeCom:    {{time.Minute, 20}},
	} {
		t.Run(string(vendor), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				l := vendor.Limits()
				var o delivery.Outbox
				now, sent := t0, []time.Time(nil)
				for range 150 {
					now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "idle")/2900) * time.Duration(rapid.IntRange(0, 90_000).Draw(t, "ms")) * time.Millisecond)
					if at := o.MayAt(l); at.After(now) {
						now = at
					}
					if o.Minute.Left(l.Minute, now) < 1 {
						t.Fatalf("it may speak at %s with no token left", now)
					}
					o, _ = o.Apply(delivery.MessagesSent{IDs: []string{"m"}, Limits: l, At: now})
					sent = append(sent, now)
				}
				for _, limit := range limits {
					for first, last := 0, 0; last < len(sent); last++ {
						for sent[last].Sub(sent[first]) >= limit.span {
							first++
						}
						if n := last - first + 1; n >= limit.most {
							t.Fatalf("%d messages within %s", n, limit.span)
						}
					}
				}
			})
		})
	}
}

func TestBucket(t *testing.T) {
	r := delivery.Rate{Burst: 3, Every: time.Second}
	var b delivery.Bucket
	for want := 3; want > 0; want-- {
		if got := b.Left(r, t0); got != want || b.Next(r).After(t0) {
			t.Errorf("%d are left, the next at %s; want %d now", got, b.Next(r), want)
		}
		b = b.Take(r, t0)
	}
	if b.Left(r, t0) != 0 || !b.Next(r).Equal(t0.Add(time.Second)) {
		t.Errorf("empty: %d, the next at %s", b.Left(r, t0), b.Next(r))
	}
	if got := b.Left(r, t0.Add(2500*time.Millisecond)); got != 2 {
		t.Errorf("%d are back", got)
	}
	b = b.Take(r, t0) // a debt
	if !b.Next(r).Equal(t0.Add(2 * time.Second)) {
		t.Errorf("in debt, the next at %s", b.Next(r))
	}
}
