package delivery

import "time"

// Rate is how often something may happen: Burst times at once, and once more after each
// Every. Within any span of time w it happens at most Burst + w/Every times.
type Rate struct {
	Burst int
	Every time.Duration
}

// Bucket is a token bucket: what is left of a Rate. It is full at the zero time. It has
// no clock and no dice, so whoever keeps it in one place shares it between replicas.
type Bucket struct {
	// Full is when all tokens are back.
	Full time.Time `json:"full,omitzero"`
}

// Left is how many tokens there are now.
func (b Bucket) Left(r Rate, now time.Time) int {
	missing := b.Full.Sub(now)
	if missing <= 0 {
		return r.Burst
	}
	return max(0, r.Burst-int((missing+r.Every-1)/r.Every))
}

// Next is when there is a token, which may be now or before.
func (b Bucket) Next(r Rate) time.Time {
	return b.Full.Add(-time.Duration(r.Burst-1) * r.Every)
}

// Take takes a token, whether there is one or not: a debt is waited for.
func (b Bucket) Take(r Rate, now time.Time) Bucket {
	if b.Full.Before(now) {
		b.Full = now
	}
	b.Full = b.Full.Add(r.Every)
	return b
}
