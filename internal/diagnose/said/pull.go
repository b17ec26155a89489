package said

import (
	"regexp"
	"strings"
)

// Pull is why an image was not pulled.
type Pull int

const (
	// PullUnknown is what nobody here has words for.
	PullUnknown Pull = iota
	// PullMissing: the registry has no such image, or hides it.
	PullMissing
	// PullDenied: the registry refuses the credentials, or there are none.
	PullDenied
	// PullUnreachable: the registry does not answer, or not as one.
	PullUnreachable
	// PullPlatform: the image is there, and not for the node's processor.
	PullPlatform
	// PullUnsigned: the node's policy does not accept the image's signature.
	PullUnsigned
)

var (
	// Words are matched whole, and status codes as such: ports, tags and digests have
	// numbers too.
	pullDenied      = regexp.MustCompile(`(?i)unauthorized|authorization failed|\bforbidden\b|\bdenied\b|no basic auth|status(?: code)?:? 40[13]\b`)
	pullUnreachable = regexp.MustCompile(`(?i)connection refused|no such host|i/o timeout|deadline exceeded|no route to host|network is unreachable|connection reset|server gave http response|\beof\b|\btls\b|\bx509\b|registry is unavailable|internal server error|bad gateway|service unavailable|gateway time-?out|status(?: code)?:? 5\d\d\b`)
)

// ReadPull reads what a runtime or kubelet says about a pull.
func ReadPull(words string) Pull {
	switch {
	case has(words, "no match for platform", "no matching manifest for"):
		return PullPlatform
	case has(words, "signature validation failed", "signaturevalidationfailed"):
		return PullUnsigned
	case has(words, "not found", "manifest unknown", "does not exist", "name unknown", "not present with pull policy of never"):
		return PullMissing
	case pullDenied.MatchString(words):
		return PullDenied
	case pullUnreachable.MatchString(words):
		return PullUnreachable
	}
	return PullUnknown
}

// Reason is the pull's failure as part of a sentence; "" when it is not known.
func (p Pull) Reason() string {
	switch p {
	case PullMissing:
		return "the registry has no such image, or hides it"
	case PullDenied:
		return "the registry refuses the credentials"
	case PullUnreachable:
		return "the registry does not answer"
	}
	return ""
}

// pullBegins are what a runtime says before what went wrong. They name the image once
// more, which leaves a line no room for the end.
var pullBegins = regexp.MustCompile(`^(?:rpc error: code = \w+ desc = )?(?:(?:failed to pull and unpack image|failed to resolve reference|failed to pull image) "[^"\s]+": )+`)

// PullEnd is what went wrong, of the words about a pull.
func PullEnd(words string) string { return strings.TrimPrefix(words, pullBegins.FindString(words)) }

// pullFailed is how a kubelet's words about a pull begin; others have the same reason.
const pullFailed = `Failed to pull image "`

// FailedPull splits a kubelet's warning into the image and why it was not pulled.
func FailedPull(warning string) (image, why string, ok bool) {
	rest, ok := strings.CutPrefix(warning, pullFailed)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, `": `)
}
