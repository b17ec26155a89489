package enginetest

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// History knows commits that stand in one line, or beside it. The zero value is ready.
// Calls: heads, with the branches; fork, contains, ahead and where, with the first
// digits of the commits; files, with the folder.
type History struct {
	Script
	// Branches are the heads, by branch.
	Branches map[string]string
	// Sources are the files of a commit, by its SHA.
	Sources map[string][]delivery.SourceFile
	// Parents is a commit's only parent.
	Parents map[string]string
}

// Heads implements engine.History.
func (h *History) Heads(_ context.Context, _ delivery.Repo, branches ...string) (map[string]string, error) {
	heads := map[string]string{}
	err := h.do("heads "+strings.Join(branches, " "), func() error {
		for _, b := range branches {
			if sha := h.Branches[b]; sha != "" {
				heads[b] = sha
			}
		}
		return nil
	})
	return heads, err
}

// Fork implements engine.History.
func (h *History) Fork(_ context.Context, _ delivery.Repo, commit string, others map[string]string) (base, from string, err error) {
	err = h.do(fmt.Sprintf("fork %.1s", commit), func() error {
		for at := commit; at != ""; at = h.Parents[at] {
			for name, head := range others {
				if h.holds(head, at) {
					base, from = at, name
					return nil
				}
			}
		}
		return delivery.E(delivery.NotFound, "no history in common")
	})
	return base, from, err
}

// Contains implements engine.History.
func (h *History) Contains(_ context.Context, _ delivery.Repo, commit, ancestor string) (yes bool, err error) {
	err = h.do(fmt.Sprintf("contains %.1s %.1s", commit, ancestor), func() error {
		yes = h.holds(commit, ancestor)
		return nil
	})
	return yes, err
}

func (h *History) holds(commit, ancestor string) bool {
	for at := commit; at != ""; at = h.Parents[at] {
		if at == ancestor {
			return true
		}
	}
	return false
}

// Ahead implements engine.History.
func (h *History) Ahead(_ context.Context, _ delivery.Repo, base, head string) (n int, err error) {
	err = h.do(fmt.Sprintf("ahead %.1s %.1s", base, head), func() error {
		for at := head; at != "" && !h.holds(base, at); at = h.Parents[at] {
			n++
		}
		return nil
	})
	return n, err
}

// Where implements engine.History.
func (h *History) Where(_ context.Context, _ delivery.Repo, short string, commits []string) (sha string, in map[string]bool, unknown map[string]error, err error) {
	in, unknown = map[string]bool{}, map[string]error{}
	err = h.do("where "+short, func() error {
		for _, c := range commits {
			if _, known := h.Parents[c]; !known {
				unknown[c] = delivery.E(delivery.NotFound, "the commit is gone")
				continue
			}
			in[c] = false
			for at := c; at != ""; at = h.Parents[at] {
				if strings.HasPrefix(at, short) {
					sha, in[c] = at, true
				}
			}
		}
		return nil
	})
	return sha, in, unknown, err
}

// Describe implements engine.History.
func (h *History) Describe(_ context.Context, _ delivery.Repo, sha string) (c delivery.Commit, err error) {
	err = h.do(fmt.Sprintf("describe %.1s", sha), func() error {
		c = delivery.Commit{SHA: sha, Title: "commit " + sha[:1], Author: "Ada"}
		return nil
	})
	return c, err
}

// Files implements engine.History.
func (h *History) Files(_ context.Context, _ delivery.Repo, commit, folder string, names []string) (files []delivery.SourceFile, err error) {
	err = h.do("files "+folder, func() error {
		for _, f := range h.Sources[commit] {
			if slices.Contains(names, path.Base(f.Path)) {
				files = append(files, f)
			}
		}
		return nil
	})
	return files, err
}
