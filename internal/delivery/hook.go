package delivery

import (
	"slices"
	"strings"
	"time"
)

// Hook is one delivery from a forge. It is durable before it is answered, and is
// expanded into runs exactly once.
type Hook struct {
	// ID is the forge's own delivery id, or a digest of the body when it sends
	// none, so a redelivery finds the first one.
	ID         string    `json:"id"`
	Forge      string    `json:"forge"`
	Push       Push      `json:"push"`
	ReceivedAt time.Time `json:"receivedAt"`
	State      HookState `json:"state"`
	// Note says in one line what became of it.
	Note    string  `json:"note,omitempty" text:"ours"`
	Runs    []RunID `json:"runs,omitempty"`
	Version int64   `json:"version"`
}

// HookState is where a Hook is: received, then expanded or ignored.
type HookState string

const (
	HookReceived HookState = "received"
	HookExpanded HookState = "expanded"
	HookIgnored  HookState = "ignored"
)

// Push is what a forge says about new commits on one branch, or about a tag, in the
// forge's neutral form.
type Push struct {
	Repo   Repo   `json:"repo"`
	Branch string `json:"branch"`
	// Tag is the tag that was pushed; Branch is then empty.
	Tag    string `json:"tag,omitempty"`
	Before string `json:"before"`
	// After is the pushed commit; empty when the branch or tag was deleted.
	After  string `json:"after"`
	Title  string `json:"title"`
	Author string `json:"author"`
	// Email is the author's; empty when the forge does not say.
	Email string `json:"email,omitempty"`
	// Pusher is the forge's user name of who pushed.
	Pusher string `json:"pusher"`
	// Paths are the changed files. It is complete only when PathsComplete: a
	// payload lists 20 commits at most.
	Paths         []string `json:"paths,omitempty"`
	PathsComplete bool     `json:"pathsComplete"`
	// DefaultBranch is the repository's; empty when the forge does not say.
	DefaultBranch string `json:"defaultBranch,omitempty"`
}

// Ref is what was pushed to, for people: "branch dev" or "tag v1.2".
func (p Push) Ref() string {
	if p.Tag != "" {
		return "tag " + p.Tag
	}
	return "branch " + p.Branch
}

// Queue is what pushes to the same ref have in common: they are expanded in order.
func (p Push) Queue() string {
	if p.Tag != "" {
		return "refs/tags/" + p.Tag
	}
	return p.Branch
}

// Creates tells that there was no such branch or tag before.
func (p Push) Creates() bool { return p.Before != "" && strings.Trim(p.Before, "0") == "" }

// Repo names a repository in all the ways a forge and a catalog may write it.
type Repo struct {
	// Forge is where the repository lives, e.g. "gitlab"; empty when none is known.
	Forge string `json:"forge,omitempty"`
	// ProjectID is the forge's own id, or its path; empty when it takes no statuses.
	ProjectID string `json:"projectId"`
	// Path is namespace/name.
	Path     string `json:"path"`
	CloneURL string `json:"cloneUrl"`
	SSHURL   string `json:"sshUrl,omitempty"`
	WebURL   string `json:"webUrl,omitempty"`
}

// Is tells whether an App's repository setting (a clone URL or namespace/name)
// names this repository.
func (r Repo) Is(setting string) bool {
	want := canonicalRepo(setting)
	if want == "" {
		return false
	}
	return slices.ContainsFunc([]string{r.Path, r.CloneURL, r.SSHURL, r.WebURL}, func(s string) bool {
		return canonicalRepo(s) == want
	})
}

// canonicalRepo folds the spellings of one repository URL: scheme, user,
// scp-like form, trailing slash and ".git".
func canonicalRepo(s string) string {
	s = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(s), "/"), ".git")
	scheme, rest, isURL := strings.Cut(s, "://")
	if isURL {
		s = rest
		if scheme == "file" {
			return s
		}
	}
	host, path, found := strings.Cut(s, "/")
	if !found {
		host, path = s, ""
	}
	if _, h, ok := strings.Cut(host, "@"); ok {
		host = h
		if h, p, scp := strings.Cut(host, ":"); scp && !isURL {
			host, path = h, strings.Trim(p+"/"+path, "/")
		}
	}
	return strings.ToLower(strings.Trim(host+"/"+path, "/"))
}
