package server

import (
	"net/netip"
	"sync"
	"time"
)

// What may go wrong before log-ins are refused for a while. The limits of an address
// stop who tries many passwords or many users from there; that of a user stops who
// tries one from many addresses. It does not hold at an address where the user logged
// in before, and ends by itself, so nobody is locked out of their own account for good.
const (
	maxFailures  = 10 // of one address within failureSpan
	failureSpan  = time.Minute
	maxSprayed   = 20 // different users that failed from one address within spraySpan
	spraySpan    = time.Hour
	maxOfUser    = 10 // of one user within userSpan, from wherever
	userSpan     = 15 * time.Minute
	maxAddresses = 10_000
	maxKnown     = 50_000
)

// attempts counts log-ins that failed, or are under way: who tries many at once gains
// nothing.
type attempts struct {
	now func() time.Time

	mu     sync.Mutex
	failed map[string][]time.Time          // by address
	users  map[string][]time.Time          // by user
	tried  map[string]map[string]time.Time // by address: users
	known  map[string]time.Time            // user and address of log-ins that went well
}

func newAttempts(now func() time.Time) *attempts {
	return &attempts{
		now: now, failed: map[string][]time.Time{}, users: map[string][]time.Time{},
		tried: map[string]map[string]time.Time{}, known: map[string]time.Time{},
	}
}

// begin counts an attempt; user is "" for one with a token. wait is how long to wait
// when it is refused.
func (a *attempts) begin(from, user string) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now, from := a.now(), network(from)
	recent := within(a.failed[from], now, failureSpan)
	if len(recent) >= maxFailures {
		return recent[0].Add(failureSpan).Sub(now)
	}
	if user != "" {
		if wait := a.beginUser(now, from, user); wait > 0 {
			return wait
		}
	}
	if len(a.failed) >= maxAddresses { // a flood from everywhere
		clear(a.failed)
		clear(a.tried)
	}
	a.failed[from] = append(recent, now)
	return 0
}

func (a *attempts) beginUser(now time.Time, from, user string) (wait time.Duration) {
	tried := a.tried[from]
	for u, at := range tried {
		if now.Sub(at) >= spraySpan {
			delete(tried, u)
		}
	}
	if _, again := tried[user]; !again && len(tried) >= maxSprayed {
		return failureSpan
	}
	ofUser := within(a.users[user], now, userSpan)
	if _, known := a.known[pair(user, from)]; len(ofUser) >= maxOfUser && !known {
		return ofUser[0].Add(userSpan).Sub(now)
	}
	if tried == nil {
		tried = map[string]time.Time{}
		a.tried[from] = tried
	}
	tried[user] = now
	if len(a.users) >= maxAddresses {
		clear(a.users)
	}
	a.users[user] = append(ofUser, now)
	return 0
}

// forgive takes back that an attempt was counted.
func (a *attempts) forgive(from, user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	from = network(from)
	dropLast(a.failed, from)
	if user != "" {
		dropLast(a.users, user)
		delete(a.tried[from], user)
	}
}

// succeed is forgive for an attempt that went well.
func (a *attempts) succeed(from, user string) {
	a.forgive(from, user)
	a.mu.Lock()
	defer a.mu.Unlock()
	from = network(from)
	if user == "" {
		return
	}
	if len(a.known) >= maxKnown {
		clear(a.known)
	}
	a.known[pair(user, from)] = a.now()
}

func dropLast(times map[string][]time.Time, key string) {
	if all := times[key]; len(all) > 1 {
		times[key] = all[:len(all)-1]
		return
	}
	delete(times, key)
}

func pair(user, from string) string { return user + " " + from }

// within drops what is too old to count.
func within(all []time.Time, now time.Time, span time.Duration) []time.Time {
	for len(all) > 0 && now.Sub(all[0]) >= span {
		all = all[1:]
	}
	return all
}

// network is what counts as one address: who has an address of IPv6 has 2^64 of them.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Is4() || ip.Is4In6() {
		return address
	}
	p, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}
