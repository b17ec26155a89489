package delivery

import (
	"fmt"
	"strings"
	"time"
)

// Cache is a folder that a build's tools keep from one build to the next. Their
// content must be safe to start from for any commit, as of tools that check what
// they find: by digest, or by version.
type Cache struct {
	Name string `json:"name"`
	// Path is relative to the HOME of the steps.
	Path string `json:"path"`
	// Keys are patterns of files, relative to the App's folder, whose content decides
	// whether a cache fits; without any, it always does.
	Keys []string `json:"keys,omitempty"`
}

// Caches is what a job had of its Plan's caches.
type Caches struct {
	Uses []CacheUse `json:"uses"`
	// Saved is how much less time the steps took than in ColdRun, the last run of the
	// same app and stack without any cache, for those steps that were the same; zero
	// when that is not known, or nothing.
	Saved   Duration `json:"saved,omitempty"`
	ColdRun string   `json:"coldRun,omitempty"`
}

// CacheUse is what a job had of one cache.
type CacheUse struct {
	Name   string      `json:"name"`
	Result CacheResult `json:"result"`
	// Changed names key files that differ from the snapshot's.
	Changed []string `json:"changed,omitempty"`
	// The snapshot that was restored: what run made it when, in which trust domain,
	// and how large it is.
	Run    string    `json:"run,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Domain string    `json:"domain,omitempty"`
	Bytes  int64     `json:"bytes,omitempty"`
	// Took is how long it took to restore, by How.
	Took Duration `json:"took,omitempty"`
	How  string   `json:"how,omitempty"`
	// Published is the size of the snapshot that the job made, for whom PublishedTo;
	// NotPublished is why it made none although there was something new.
	Published    int64  `json:"published,omitempty"`
	PublishedTo  string `json:"publishedTo,omitempty"`
	NotPublished string `json:"notPublished,omitempty"`
	// Trouble is why the cache could not be used although it was there.
	Trouble string `json:"trouble,omitempty"`
}

// CacheResult says how well what was there fitted.
type CacheResult string

const (
	// CacheHit restored a snapshot for the same key.
	CacheHit CacheResult = "hit"
	// CacheStale missed, and started from a snapshot for another key.
	CacheStale CacheResult = "stale"
	// CacheMiss started empty.
	CacheMiss CacheResult = "miss"
)

// Ways to restore a snapshot.
const (
	RestoredOverlay = "overlay"
	RestoredReflink = "reflink"
	RestoredCopy    = "copy"
)

// ownDomain is what the trust domains of Apps begin with.
const ownDomain = "app-"

// ProtectedDomain is the trust domain of builds for protected Environments.
const ProtectedDomain = "protected"

// CacheDomains returns the trust domains that a build reads caches from, the
// preferred one first, and the only one that it publishes to. What a protected build
// reads, protected builds have published.
func CacheDomains(app string, protected bool) (read []string, publish string) {
	if protected {
		return []string{ProtectedDomain}, ProtectedDomain
	}
	own := ownDomain + app
	return []string{own, ProtectedDomain}, own
}

// CacheApp is the App whose own trust domain this is; ok is false for one of several.
func CacheApp(domain string) (app string, ok bool) { return strings.CutPrefix(domain, ownDomain) }

// CachePlaces are where an attempt's caches are kept: each trust domain has a place
// for each Stack.
type CachePlaces struct {
	Stack   string
	Read    []string
	Publish string
}

// CachePlaces returns where the run's caches are kept; nil when its Plan has none.
func (r Run) CachePlaces() *CachePlaces {
	if len(r.Plan.Caches) == 0 {
		return nil
	}
	read, publish := CacheDomains(r.App, r.Plan.Protected)
	return &CachePlaces{Stack: r.Plan.Stack, Read: read, Publish: publish}
}

// Describe says in a line what there was of the cache, at now.
func (u CacheUse) Describe(now time.Time) string {
	text := "cache " + u.Name + ": "
	switch u.Result {
	case CacheHit:
		return text + fmt.Sprintf("restored %s in %s by %s (%s)", ByteSize(u.Bytes), seconds(u.Took), u.How, u.origin(now))
	case CacheStale:
		return text + fmt.Sprintf("missed because %s; started from the %s (%s in %s by %s)", u.why(), u.origin(now), ByteSize(u.Bytes), seconds(u.Took), u.How)
	}
	if u.Trouble != "" {
		return text + "left out: " + u.Trouble
	}
	return text + "missed: there is none yet"
}

// Outcome says in a line what the job made of the cache; "" when there is nothing to
// say.
func (u CacheUse) Outcome() string {
	switch {
	case u.Published > 0 && u.PublishedTo == ProtectedDomain:
		return fmt.Sprintf("cache %s: published %s", u.Name, ByteSize(u.Published))
	case u.Published > 0:
		return fmt.Sprintf("cache %s: published %s, for unprotected builds of this app only", u.Name, ByteSize(u.Published))
	case u.NotPublished != "":
		return fmt.Sprintf("cache %s: not published: %s", u.Name, u.NotPublished)
	}
	return ""
}

func (u CacheUse) origin(now time.Time) string {
	whose := "snapshot of "
	if u.Domain == ProtectedDomain {
		whose = "protected snapshot of "
	}
	return whose + u.Run + ", " + ago(now.Sub(u.At)) + " ago"
}

// why names the files that made the key another one.
func (u CacheUse) why() string {
	const shown = 3
	names := u.Changed
	switch len(names) {
	case 0:
		return "its key changed"
	case 1, 2, shown:
		return strings.Join(names, ", ") + " changed"
	}
	return fmt.Sprintf("%s and %d more files changed", strings.Join(names[:shown], ", "), len(names)-shown)
}

// Saving says what the caches saved; "" when that is not known, or nothing.
func (c *Caches) Saving() string {
	if c == nil || c.Saved <= 0 {
		return ""
	}
	return fmt.Sprintf("caches saved about %s, compared with %s", seconds(c.Saved), c.ColdRun)
}

// ByteSize is like "212 MB", in powers of a thousand.
func ByteSize(n int64) string {
	units := [...]string{"B", "kB", "MB", "GB", "TB"}
	v, i := float64(n), 0
	for v >= 999.5 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	if i > 0 && v < 9.95 {
		return fmt.Sprintf("%.1f %s", v, units[i])
	}
	return fmt.Sprintf("%.0f %s", v, units[i])
}

// seconds is like "0.3 s" or "41 s"; less than 0.1 s is in milliseconds.
func seconds(d Duration) string {
	switch s := d.Std(); {
	case s < 100*time.Millisecond:
		return fmt.Sprintf("%d ms", max(s.Milliseconds(), 1))
	case s < 10*time.Second:
		return fmt.Sprintf("%.1f s", s.Seconds())
	default:
		return fmt.Sprintf("%.0f s", s.Seconds())
	}
}

func ago(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}
