package local

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
)

// How much of its log explains a version that does not serve: a dump of many
// goroutines is long, and its first line is the one that matters.
const (
	wordLines = 300
	wordBytes = 256 << 10
	wordLimit = 2 * time.Second
)

func (v VersionStatus) inTrouble() bool { return v.Ready != v.Replicas && v.Reason != "" }

// hearOut replaces the short ends of logs by longer ones where something is to be
// explained.
func hearOut(ctx context.Context, c *Client, o Observation) {
	for i := range o.Versions {
		v := &o.Versions[i]
		if !v.Wished || !v.inTrouble() {
			continue
		}
		if lines := lastWords(ctx, c, o.Key, v.ID); len(lines) > 0 {
			v.LogTail = lines
		}
	}
}

// lastWords returns the end of a version's log; nothing when it cannot be had, for
// which the observation has a short one.
func lastWords(ctx context.Context, c *Client, key, version string) []string {
	ctx, cancel := context.WithTimeout(ctx, wordLimit)
	defer cancel()
	log, err := c.Logs(ctx, key, version, wordLines, false)
	if err != nil {
		return nil
	}
	defer log.Close()
	data, err := io.ReadAll(io.LimitReader(log, wordBytes))
	if err != nil || len(data) == wordBytes {
		return nil
	}
	return strings.Split(strings.TrimRight(string(data), "\n"), "\n")
}

// codeRoots are where the supervisor of a data directory unpacks images:
// targets/TARGET/images/IMAGE. Programs may tell the path without symbolic links.
func codeRoots(dir string) diagnose.Roots {
	dir, err := filepath.Abs(filepath.Join(dir, "targets"))
	if err != nil {
		return nil
	}
	roots := diagnose.Roots{{Dir: dir, Skip: 3}}
	if real, err := filepath.EvalSymlinks(dir); err == nil && real != dir {
		roots = append(roots, diagnose.Root{Dir: real, Skip: 3})
	}
	return roots
}

// cause says why a version takes no traffic, in the app's own last words.
func cause(v VersionStatus, roots diagnose.Roots) *delivery.Cause {
	if !v.inTrouble() {
		return nil
	}
	if v.Unprepared != nil {
		return v.Unprepared.cause(v.LogTail, roots)
	}
	c := diagnose.Crash{
		Code: "app." + string(v.State), Reason: v.Reason, Exited: v.State == Crashed, Exit: v.ExitCode,
		Output: v.LogTail, Roots: roots, Args: map[string]string{"revision": delivery.RevisionID(v.ID).Short()},
	}.Cause()
	return &c
}
