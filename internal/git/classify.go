package git

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

var userInfo = regexp.MustCompile(`://[^/@\s]+@`)

const (
	msgNoRepo = "the repository was not found, or the credential may not see it; check the App's repository and the token's access"
	msgNoSHA  = "the commit is not in the repository; it may have been force-pushed away"
	msgNoRef  = "the branch is not in the repository; it may have been deleted"
	msgDenied = "the repository refused the credential; give a token that may read the repository"
	msgMoved  = "the repository is at another URL; set the App's repository to the clone URL that its forge shows, ending in .git"
	msgDown   = "the repository's server did not answer; try again later"
	msgTLS    = "the repository's certificate is not trusted here; add its authority to SSL_CERT_FILE or GIT_SSL_CAINFO"
	msgDisk   = "the disk is full; free space for workspaces"
)

// symptoms maps what git, curl and ssh print to a kind. The first match wins, so
// what is specific comes before what it implies ("hung up" follows everything).
var symptoms = []struct {
	text string
	kind delivery.Kind
	msg  string
}{
	{"not our ref", delivery.NotFound, msgNoSHA},
	{"unadvertised object", delivery.NotFound, msgNoSHA},
	{"couldn't find remote ref", delivery.NotFound, msgNoRef},
	{"reference is not a tree", delivery.NotFound, msgNoSHA},
	{"unable to read tree", delivery.NotFound, msgNoSHA},
	{"No space left on device", delivery.Unavailable, msgDisk},
	{"dubious ownership", delivery.Denied, "the repository belongs to another user of this machine"},
	{"Authentication failed", delivery.Denied, msgDenied},
	{"could not read Username", delivery.Denied, msgDenied},
	{"could not read Password", delivery.Denied, msgDenied},
	{"returned error: 401", delivery.Denied, msgDenied},
	{"returned error: 403", delivery.Denied, msgDenied},
	{"Permission denied (", delivery.Denied, msgDenied},
	{"Host key verification failed", delivery.Denied, "the host key of the repository's server is unknown; add it to known_hosts"},
	{"returned error: 404", delivery.NotFound, msgNoRepo},
	{"returned error: 410", delivery.NotFound, msgNoRepo},
	{"returned error: 301", delivery.NotFound, msgMoved},
	{"returned error: 302", delivery.NotFound, msgMoved},
	{"returned error: 307", delivery.NotFound, msgMoved},
	{"returned error: 308", delivery.NotFound, msgMoved},
	{"not found", delivery.NotFound, msgNoRepo},
	{"does not appear to be a git repository", delivery.NotFound, msgNoRepo},
	{"you were looking for could not be found", delivery.NotFound, msgNoRepo},
	{"not allowed", delivery.Invalid, "the repository's transport is not allowed; use https or ssh"},
	{"SSL certificate", delivery.Unavailable, msgTLS},
	{"certificate verification", delivery.Unavailable, msgTLS},
	{"unable to access", delivery.Unavailable, msgDown},
	{"returned error: 5", delivery.Unavailable, msgDown},
	{"Could not resolve host", delivery.Unavailable, msgDown},
	{"Connection ", delivery.Unavailable, msgDown},
	{"connect to ", delivery.Unavailable, msgDown},
	{"timed out", delivery.Unavailable, msgDown},
	{"too slow", delivery.Unavailable, msgDown},
	{"RPC failed", delivery.Unavailable, msgDown},
	{"early EOF", delivery.Unavailable, msgDown},
	{"hung up", delivery.Unavailable, msgDown},
}

// failure is a git process that ended by itself, unsuccessfully.
type failure struct {
	what   string
	stderr string // scrubbed
	err    error
}

func (f *failure) Error() string {
	if line := telling(f.stderr); line != "" {
		return fmt.Sprintf("git %s: %s", f.what, line)
	}
	return fmt.Sprintf("git %s: %v", f.what, f.err)
}

func (f *failure) Unwrap() error { return f.err }

func classify(what, stderr string, err error) error {
	f := &failure{what: what, stderr: stderr, err: err}
	for _, s := range symptoms {
		if strings.Contains(stderr, s.text) {
			return delivery.Wrap(s.kind, s.msg, f)
		}
	}
	return delivery.Wrap(delivery.Internal, "git ended unexpectedly", f)
}

// telling picks the line that names the cause: the first of the remote's or
// git's own errors, else the last line.
func telling(stderr string) string {
	last := ""
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		for _, mark := range []string{"fatal: ", "error: ", "remote: ERROR", "ssh: "} {
			if strings.HasPrefix(line, mark) {
				return line
			}
		}
		if line != "" {
			last = line
		}
	}
	return last
}
