package delivery

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Identifiers are distinct types, so that one is never taken for another. RunID
// and ReleaseID are UUIDv7 in lower-case text.
type (
	RunID     string
	ReleaseID string
	// Digest is "sha256:<64 hex>", the identity of an immutable thing.
	Digest string
	// RevisionID is the content hash of a Revision, "sha256:<64 hex>".
	RevisionID string
)

// Short returns the first 12 hex digits of a digest, for people.
func (d Digest) Short() string { return shortDigest(string(d)) }

// Short returns the first 12 hex digits of a revision id, for people.
func (r RevisionID) Short() string { return shortDigest(string(r)) }

func shortDigest(s string) string {
	const prefix = len("sha256:")
	if len(s) < prefix+12 {
		return s
	}
	return s[prefix : prefix+12]
}

// timeOf returns when a run or a release was made: its id is a UUIDv7, which begins
// with the milliseconds.
func timeOf(id string) (time.Time, bool) {
	if len(id) != 36 || id[8] != '-' || id[14] != '7' {
		return time.Time{}, false
	}
	ms, err := strconv.ParseInt(id[:8]+id[9:13], 16, 64)
	return time.UnixMilli(ms).UTC(), err == nil
}

// AggregateKind names the kinds of things that have a version and a machine.
type AggregateKind string

const (
	KindHook         AggregateKind = "hook"
	KindAdmission    AggregateKind = "admission"
	KindRun          AggregateKind = "run"
	KindTarget       AggregateKind = "target"
	KindRelease      AggregateKind = "release"
	KindNotification AggregateKind = "notification"
	// KindOutbox is by the name of its Channel.
	KindOutbox AggregateKind = "outbox"
)

// Ref names one aggregate.
type Ref struct {
	Kind AggregateKind `json:"kind"`
	ID   string        `json:"id"`
}

func (r Ref) String() string { return string(r.Kind) + "/" + r.ID }

// TargetKey is the id of a Target: app and environment.
func TargetKey(app, env string) string { return app + "/" + env }

var dnsLabel = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`)

// maxAppName leaves room for the "-<run>-<job>-<attempt>" of a pod name in the
// 63 characters of a DNS label.
const maxAppName = 40

// CheckAppName tells whether name can be an App's name, which is also its
// Service, Deployment, container and alert label.
func CheckAppName(name string) error {
	if len(name) > maxAppName || !dnsLabel.MatchString(name) {
		return E(Invalid, fmt.Sprintf("%q cannot be an app's name: use 1–%d of a–z, 0–9 and '-', starting with a letter", clip(name, 80), maxAppName))
	}
	return nil
}

// CheckLabel tells whether name can name an Environment, a Team or a job.
func CheckLabel(what, name string) error {
	if !dnsLabel.MatchString(name) {
		return E(Invalid, fmt.Sprintf("%q cannot be the name of %s: use 1–63 of a–z, 0–9 and '-', starting with a letter", clip(name, 80), what))
	}
	return nil
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
