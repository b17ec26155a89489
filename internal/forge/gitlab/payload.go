package gitlab

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shiplock/shiplock/internal/delivery"
)

// payload is what we read of a push. GitLab lists the newest 20 commits, oldest
// of them first, and none of a system hook's.
type payload struct {
	ObjectKind   string   `json:"object_kind"`
	EventName    string   `json:"event_name"`
	Ref          string   `json:"ref"`
	Before       string   `json:"before"`
	After        string   `json:"after"`
	UserName     string   `json:"user_name"`
	UserUsername string   `json:"user_username"`
	ProjectID    int64    `json:"project_id"`
	Project      project  `json:"project"`
	Commits      []commit `json:"commits"`
	Total        int      `json:"total_commits_count"`
}

type project struct {
	ID      int64  `json:"id"`
	Path    string `json:"path_with_namespace"`
	HTTPURL string `json:"git_http_url"`
	SSHURL  string `json:"git_ssh_url"`
	WebURL  string `json:"web_url"`
}

type commit struct {
	ID      string `json:"id"`
	Message string `json:"message"`
	Title   string `json:"title"` // since 12.8
	Author  struct {
		Name string `json:"name"`
		// Email may be "[REDACTED]".
		Email string `json:"email"`
	} `json:"author"`
	Added    []string `json:"added"`
	Modified []string `json:"modified"`
	Removed  []string `json:"removed"`
}

// Bounds of what is kept of a payload.
const (
	maxPaths = 2000 // more, and the list says nothing that "everything" does not
	maxPath  = 4096 // bytes, Linux's PATH_MAX
	maxURL   = 2048 // bytes
	maxText  = 255  // runes
)

var sha = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

func isZero(sha string) bool { return strings.Trim(sha, "0") == "" }

func (p *payload) check(branch string) error {
	bad := func(what string) error {
		return delivery.E(delivery.Invalid, "the push hook has "+what+"; send GitLab's own payload, without a custom template")
	}
	switch {
	case branch == "" || len(branch) > maxText || printable(branch) != branch:
		return bad("no ref refs/heads/BRANCH")
	case !sha.MatchString(p.Before) || !sha.MatchString(p.After):
		return bad("no commit SHA in before or after")
	case p.ProjectID <= 0 && p.Project.ID <= 0:
		return bad("no project_id")
	case p.Project.Path == "" || utf8.RuneCountInString(p.Project.Path) > maxURL:
		return bad("no project.path_with_namespace")
	case max(len(p.Project.HTTPURL), len(p.Project.SSHURL), len(p.Project.WebURL)) > maxURL:
		return bad("a URL that is too long")
	}
	return nil
}

func (p *payload) push(branch string) *delivery.Push {
	push := &delivery.Push{
		Repo: delivery.Repo{
			ProjectID: strconv.FormatInt(cmp.Or(p.ProjectID, p.Project.ID), 10),
			Path:      p.Project.Path,
			CloneURL:  p.Project.HTTPURL,
			SSHURL:    p.Project.SSHURL,
			WebURL:    p.Project.WebURL,
		},
		Branch: branch,
		Before: p.Before,
		After:  p.After,
		Pusher: clip(printable(cmp.Or(p.UserUsername, p.UserName)), maxText),
	}
	if isZero(p.After) {
		push.After = ""
		return push
	}
	if head := p.head(); head != nil {
		push.Title = clip(printable(cmp.Or(head.Title, firstLine(head.Message))), maxText)
		push.Author = clip(printable(head.author()), maxText)
	}
	push.Author = cmp.Or(push.Author, clip(printable(p.UserName), maxText))
	push.Paths, push.PathsComplete = p.paths()
	return push
}

// head is the pushed commit, when the payload lists it.
func (p *payload) head() *commit {
	for i := range slices.Backward(p.Commits) {
		if p.Commits[i].ID == p.After {
			return &p.Commits[i]
		}
	}
	return nil
}

func (c *commit) author() string {
	if c.Author.Name != "" || c.Author.Email == "[REDACTED]" {
		return c.Author.Name
	}
	return c.Author.Email
}

// paths is the sorted union of the changed files. It is complete when every
// commit is listed and there is one: a branch that was moved back lists none, yet
// its files changed.
func (p *payload) paths() ([]string, bool) {
	complete := !isZero(p.Before) && len(p.Commits) > 0 && p.Total == len(p.Commits)
	seen := map[string]bool{}
	for _, c := range p.Commits {
		for _, list := range [][]string{c.Added, c.Modified, c.Removed} {
			for _, path := range list {
				if len(seen) >= maxPaths || len(path) > maxPath {
					complete = false
					continue
				}
				seen[path] = true
			}
		}
	}
	paths := make([]string, 0, len(seen))
	for path := range seen {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths, complete
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// printable drops control characters and broken UTF-8.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// clip shortens s to at most n runes, the last of them an ellipsis.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
