package said

import (
	"regexp"
	"strings"
)

// Probe is what a kubelet says of a check of a container.
type Probe struct {
	// Kind is Startup, Readiness or Liveness.
	Kind string
	// Status is the HTTP status that was answered; "" without an answer.
	Status string
	// Refused is the port that nothing listens on.
	Refused string
	// Slow: no answer came in time.
	Slow bool
	// Said is the rest, such as what a command wrote.
	Said string
}

var (
	probeForm   = regexp.MustCompile(`(?s)^(Startup|Readiness|Liveness) probe (?:failed|errored and resulted in \w+ state): ?(.*)$`)
	statusForm  = regexp.MustCompile(`HTTP probe failed with statuscode: (\d+)`)
	refusedForm = regexp.MustCompile(`dial tcp \S*:(\d+): connect: connection refused`)
)

// ReadProbe reads a warning about a check.
func ReadProbe(words string) (Probe, bool) {
	m := probeForm.FindStringSubmatch(words)
	if m == nil {
		return Probe{}, false
	}
	p, rest := Probe{Kind: m[1]}, m[2]
	if s := statusForm.FindStringSubmatch(rest); s != nil {
		p.Status = s[1]
		return p, true
	}
	if r := refusedForm.FindStringSubmatch(rest); r != nil {
		p.Refused = r[1]
		return p, true
	}
	if p.Slow = has(rest, "client.timeout exceeded", "i/o timeout", "context deadline exceeded", "timed out", "timeout: "); p.Slow {
		return p, true
	}
	p.Said = Line(rest)
	return p, true
}

// KilledByProbe returns the kind of check that a kubelet ended a container for, of its
// event Killing.
func KilledByProbe(words, container string) (kind string, ok bool) {
	for _, kind := range []string{"liveness", "startup"} {
		if strings.HasPrefix(words, "Container "+container+" failed "+kind+" probe") {
			return strings.ToUpper(kind[:1]) + kind[1:], true
		}
	}
	return "", false
}
