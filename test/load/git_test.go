//go:build bench

package load

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/test/harness"
)

const perRepo = 5 // apps that share a repository

// gitSources push commits of repositories that are there. Every other push does not
// list all its commits, so that git is asked what changed.
func gitSources(t *testing.T, n int) []*source {
	t.Helper()
	forge := harness.NewForge(t, "")
	var all []*source
	for i := 0; i < n; i += perRepo {
		all = append(all, repoSources(t, forge, i, min(perRepo, n-i))...)
	}
	return all
}

// repoSources makes a repository and its apps, each in a folder of its own.
func repoSources(t *testing.T, forge *harness.Forge, first, n int) []*source {
	t.Helper()
	repo := forge.NewRepo(fmt.Sprintf("mono/repo%d", first))
	each := int(length.Seconds())**rate / *apps + 3
	shas := history(t, repo, first, n, each)
	var all []*source
	for i := range n {
		name, pushes := fmt.Sprintf("git%d", first+i), 0
		all = append(all, &source{name: name, next: func() harness.Push {
			at := pushes*n + i // the commits of the apps take turns
			pushes++
			p := harness.Push{
				ID: fmt.Sprintf("%s-%d", name, pushes), ProjectID: 10_000 + first, Path: fmt.Sprintf("mono/repo%d", first),
				CloneURL: repo.CloneURL, Branch: "dev", Before: shas[at], SHA: shas[at+1], Files: []string{name + "/file"},
			}
			if pushes%2 == 0 {
				p.Commits = 21
			}
			return p
		}})
	}
	return all
}

// history commits to each app's folder in turn, and pushes everything; it returns the
// commits, the oldest first.
func history(t *testing.T, repo *harness.Repo, first, n, each int) []string {
	t.Helper()
	var s strings.Builder
	commit := func(text string) {
		fmt.Fprintf(&s, "commit refs/heads/dev\ncommitter Ada <ada@example.test> %d +0000\ndata %d\n%s\n", 1_767_323_045, len(text), text)
	}
	commit("start")
	for i := range n {
		fmt.Fprintf(&s, "M 644 inline git%d/file\ndata 1\n0\n", first+i)
	}
	for c := range each * n {
		commit("change")
		text := fmt.Sprint(c)
		fmt.Fprintf(&s, "M 644 inline git%d/file\ndata %d\n%s\n", first+c%n, len(text), text)
	}
	git := func(stdin string, args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Stdin = repo.Dir, strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	git(s.String(), "fast-import", "--quiet")
	git("", "push", "-q", "origin", "refs/heads/dev:refs/heads/dev")
	return strings.Fields(git("", "rev-list", "--reverse", "dev"))
}
