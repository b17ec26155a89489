package git

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Contains tells whether a commit is another one or an ancestor of it. Both are fetched
// when they are not known yet. NotFound when the server has one of them no more.
func (m *Mirrors) Contains(ctx context.Context, r Remote, commit, ancestor string) (yes bool, err error) {
	if commit == ancestor {
		return true, nil
	}
	err = m.with(ctx, r, commit, func(ctx context.Context, one mirror) error {
		if err := one.need(ctx, commit, ancestor); err != nil {
			return err
		}
		yes, err = one.contains(ctx, commit, ancestor)
		return err
	})
	return yes, err
}

func (m mirror) contains(ctx context.Context, commit, ancestor string) (bool, error) {
	left, err := m.lines(ctx, "rev-list", "--max-count=1", ancestor, "^"+commit)
	return err == nil && len(left) == 0, err
}

// Ahead counts the commits of head that are not in base's history; base may be on
// another line.
func (m *Mirrors) Ahead(ctx context.Context, r Remote, base, head string) (n int, err error) {
	if base == head {
		return 0, nil
	}
	err = m.with(ctx, r, head, func(ctx context.Context, one mirror) error {
		if err := one.need(ctx, base, head); err != nil {
			return err
		}
		n, err = one.ahead(ctx, base, head)
		return err
	})
	return n, err
}

func (m mirror) ahead(ctx context.Context, base, head string) (int, error) {
	out, err := m.lines(ctx, "rev-list", "--count", head, "^"+base)
	if err != nil || len(out) != 1 {
		return 0, errors.Join(err, errOdd("rev-list"))
	}
	return strconv.Atoi(out[0])
}

// Fork finds where a commit left the other heads: the common ancestor with one of them
// that has the fewest commits between it and the commit. others are by name; the name
// of the nearest is returned too. NotFound when there is no common history.
func (m *Mirrors) Fork(ctx context.Context, r Remote, commit string, others map[string]string) (base, from string, err error) {
	err = m.with(ctx, r, commit, func(ctx context.Context, one mirror) error {
		if err := one.need(ctx, commit); err != nil {
			return err
		}
		base, from, err = one.nearest(ctx, commit, others)
		return err
	})
	return base, from, err
}

func (m mirror) nearest(ctx context.Context, commit string, others map[string]string) (base, from string, err error) {
	least := -1
	for _, name := range slices.Sorted(maps.Keys(others)) {
		head := others[name]
		if err := m.need(ctx, head); err != nil {
			return "", "", err
		}
		common, err := m.lines(ctx, "merge-base", commit, head)
		if len(common) == 0 {
			if ctx.Err() != nil {
				return "", "", err
			}
			continue // no history in common
		}
		n, err := m.ahead(ctx, common[0], commit)
		if err != nil {
			return "", "", err
		}
		if least < 0 || n < least {
			least, base, from = n, common[0], name
		}
	}
	if least < 0 {
		return "", "", delivery.E(delivery.NotFound, "the branch has no history in common with another one that is built")
	}
	return base, from, nil
}

// shortSHA is what people type of a commit.
var shortSHA = regexp.MustCompile(`^[0-9a-f]{4,64}$`)

// Where tells which of the commits contain one that is named by its SHA or the
// beginning of it: a commit contains itself and its ancestors. sha is it in full; it is
// empty when none of the histories has it. unknown are the commits whose history the
// server has no more, with the reason.
func (m *Mirrors) Where(ctx context.Context, r Remote, short string, commits []string) (sha string, in map[string]bool, unknown map[string]error, err error) {
	if !shortSHA.MatchString(short) {
		return "", nil, nil, delivery.E(delivery.Invalid, "a commit is 4 to 64 lower-case hexadecimal digits")
	}
	in, unknown = map[string]bool{}, map[string]error{}
	if len(commits) == 0 {
		return "", in, unknown, nil
	}
	err = m.with(ctx, r, commits[0], func(ctx context.Context, one mirror) error {
		for _, c := range commits {
			if err := one.need(ctx, c); err != nil {
				if delivery.KindOf(err) != delivery.NotFound {
					return err
				}
				unknown[c] = err
			}
		}
		if sha, err = one.expand(ctx, short); err != nil || sha == "" {
			return err
		}
		for _, c := range commits {
			if unknown[c] != nil {
				continue
			}
			if in[c], err = one.contains(ctx, c, sha); err != nil {
				return err
			}
		}
		return nil
	})
	return sha, in, unknown, err
}

// expand finds a commit by the beginning of its SHA among those that are here.
func (m mirror) expand(ctx context.Context, short string) (string, error) {
	out, err := m.local.run(ctx, m.dir, maxChatter, "rev-parse", "--verify", "--end-of-options", short+"^{commit}")
	if err == nil {
		return strings.TrimSpace(string(out)), nil
	}
	var f *failure
	switch {
	case !errors.As(err, &f):
		return "", err
	case strings.Contains(f.stderr, "is ambiguous"):
		return "", errAmbiguous(short)
	}
	return "", nil
}

// Describe returns the title of a commit, and its author with the e-mail address.
func (m *Mirrors) Describe(ctx context.Context, r Remote, sha string) (title, author, email string, err error) {
	err = m.with(ctx, r, sha, func(ctx context.Context, one mirror) error {
		if err := one.need(ctx, sha); err != nil {
			return err
		}
		out, err := one.local.run(ctx, one.dir, maxChatter, "log", "-1", "--no-decorate", "--format=%s%x00%an%x00%ae", sha)
		title, author, _ = strings.Cut(strings.TrimSuffix(string(out), "\n"), "\x00")
		author, email, _ = strings.Cut(author, "\x00")
		return err
	})
	return title, author, email, err
}

func errOdd(what string) error {
	return delivery.E(delivery.Internal, "git "+what+" answered what it never does")
}
