package githost

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const (
	zeros = "0000000000000000000000000000000000000000"
	// maxCommits is how many commits a payload lists.
	maxCommits = 20
	// maxRefs is GitLab's push_event_hooks_limit: a push that changes more refs
	// sets off no hook at all.
	maxRefs = 3
)

// pusher is who pushed, and through which address.
type pusher struct {
	user string
	base string // http://host:port
}

// change is one ref that a push moved. before is zeros for a new ref, after for a
// deleted one.
type change struct {
	ref, before, after string
}

// refs are the repository's refs and what they point to.
func (r *repo) refs(ctx context.Context) (map[string]string, error) {
	out, err := r.git(ctx, "for-each-ref", "--format=%(objectname) %(refname)")
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		sha, ref, _ := strings.Cut(strings.TrimSpace(line), " ")
		refs[ref] = sha
	}
	return refs, nil
}

// changes compares refs, in the order of their names.
func changes(before, after map[string]string) []change {
	names := maps.Clone(before)
	maps.Copy(names, after)
	var all []change
	for _, ref := range slices.Sorted(maps.Keys(names)) {
		c := change{ref: ref, before: zeros, after: zeros}
		if sha, ok := before[ref]; ok {
			c.before = sha
		}
		if sha, ok := after[ref]; ok {
			c.after = sha
		}
		if c.before != c.after {
			all = append(all, c)
		}
	}
	return all
}

// announce queues a hook for every ref that changed since before.
func (h *Host) announce(ctx context.Context, r *repo, before map[string]string, by pusher) error {
	after, err := r.refs(ctx)
	if err != nil {
		return err
	}
	moved := changes(before, after)
	head, err := r.settleHead(ctx, moved, after)
	if err != nil || len(moved) > maxRefs || h.config.HookURL == "" {
		return err
	}
	for _, c := range moved {
		p, err := r.payload(ctx, c, head, after, by)
		if err != nil {
			return err
		}
		h.queue(p, by.base)
	}
	return nil
}

// settleHead returns the default branch, which is the first one ever pushed.
func (r *repo) settleHead(ctx context.Context, moved []change, refs map[string]string) (string, error) {
	out, err := r.git(ctx, "symbolic-ref", "HEAD")
	if err != nil {
		return "", err
	}
	head := strings.TrimSpace(out)
	if refs[head] == "" {
		for _, c := range moved {
			if strings.HasPrefix(c.ref, "refs/heads/") && c.after != zeros {
				head = c.ref
				_, err = r.git(ctx, "symbolic-ref", "HEAD", head)
				break
			}
		}
	}
	return strings.TrimPrefix(head, "refs/heads/"), err
}

// revisions selects the commits that a push brought: for a new branch those that
// the default branch lacks.
func (c change) revisions(head string, refs map[string]string) []string {
	defaultRef := "refs/heads/" + head
	switch {
	case c.before != zeros:
		return []string{c.after, "^" + c.before}
	case c.ref != defaultRef && refs[defaultRef] != "":
		return []string{c.after, "^" + refs[defaultRef]}
	}
	return []string{c.after}
}

// commits lists the newest of the revisions, oldest first, and counts them all.
func (r *repo) commits(ctx context.Context, revisions []string) ([]commit, int, error) {
	args := append([]string{"log", "-n", strconv.Itoa(maxCommits), "--reverse", "--name-status", "--no-renames",
		"--diff-merges=first-parent", "--format=%x1e%H%x1f%an%x1f%ae%x1f%aI%x1f%B%x1f"}, revisions...)
	out, err := r.git(ctx, append(args, "--")...)
	if err != nil {
		return nil, 0, err
	}
	commits := parseLog(out)
	if len(commits) < maxCommits {
		return commits, len(commits), nil
	}
	out, err = r.git(ctx, append([]string{"rev-list", "--count"}, append(revisions, "--")...)...)
	if err != nil {
		return nil, 0, err
	}
	total, err := strconv.Atoi(strings.TrimSpace(out))
	return commits, total, err
}

func parseLog(out string) []commit {
	var commits []commit
	for record := range strings.SplitSeq(out, "\x1e") {
		fields := strings.SplitN(record, "\x1f", 6)
		if len(fields) != 6 {
			continue
		}
		c := commit{ID: fields[0], Timestamp: fields[3], Message: fields[4],
			Author: author{Name: fields[1], Email: fields[2]}, Added: []string{}, Modified: []string{}, Removed: []string{}}
		c.Title, _, _ = strings.Cut(c.Message, "\n")
		for line := range strings.Lines(fields[5]) {
			c.add(strings.TrimSuffix(line, "\n"))
		}
		commits = append(commits, c)
	}
	return commits
}

// add takes a line of --name-status: a letter, a tab, a path that is quoted like
// a C string when it has odd bytes.
func (c *commit) add(line string) {
	status, path, ok := strings.Cut(line, "\t")
	if !ok {
		return
	}
	if plain, err := strconv.Unquote(path); err == nil {
		path = plain
	}
	switch status {
	case "A":
		c.Added = append(c.Added, path)
	case "D":
		c.Removed = append(c.Removed, path)
	default:
		c.Modified = append(c.Modified, path)
	}
}
