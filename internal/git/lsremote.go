package git

import (
	"context"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	maxRefs       = 4 << 20 // bytes of ls-remote output
	lsRemoteLimit = 30 * time.Second
)

// LsRemote returns the SHA of each remote ref that matches one of the patterns,
// by its full name; no pattern means all. A pattern matches whole path elements
// from the end, so look a branch up as refs/heads/NAME in the answer too. An
// answer without the ref is not an error. It takes at most 30 seconds.
func LsRemote(ctx context.Context, r Remote, patterns ...string) (map[string]string, error) {
	remote, err := r.endpoint()
	if err != nil {
		return nil, err
	}
	for _, p := range patterns {
		if p == "" || hasControl(p) || strings.HasPrefix(p, "-") {
			return nil, delivery.E(delivery.Invalid, "the name of the branch to look up is not one that git accepts")
		}
	}
	ctx, cancel := context.WithTimeout(ctx, lsRemoteLimit)
	defer cancel()

	p := newProcess(remote, nil)
	// No repository around the current directory may lend its configuration.
	p.env = append(p.env, "GIT_DIR=/dev/null")
	args := append([]string{"ls-remote", "--quiet", "--end-of-options", remote.url}, patterns...)
	out, err := p.run(ctx, "/", maxRefs, args...)
	if err != nil {
		return nil, err
	}
	return parseRefs(string(out)), nil
}

func parseRefs(out string) map[string]string {
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		sha, ref, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if ok && ref != "" && checkSHA(sha) == nil {
			refs[ref] = sha
		}
	}
	return refs
}
