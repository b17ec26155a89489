package forge

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Bounds of what is kept of a payload.
const (
	maxPaths = 2000 // more, and the list says nothing that "everything" does not
	maxPath  = 4096 // bytes, Linux's PATH_MAX
	maxURL   = 2048 // bytes
	// MaxText is the longest text that is kept or sent, in runes.
	MaxText = 255
)

var sha = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

// IsSHA tells whether s is a whole commit SHA.
func IsSHA(s string) bool { return sha.MatchString(s) }

// IsZero tells the SHA of zeros, by which forges say that there is no commit.
func IsZero(sha string) bool { return strings.Trim(sha, "0") == "" }

// Commit is a commit as all forges' payloads list it.
type Commit struct {
	ID      string `json:"id"`
	Message string `json:"message"`
	// Title is GitLab's, since 12.8.
	Title  string `json:"title"`
	Author struct {
		Name string `json:"name"`
		// Email may be "[REDACTED]".
		Email string `json:"email"`
	} `json:"author"`
	Added    []string `json:"added"`
	Modified []string `json:"modified"`
	Removed  []string `json:"removed"`
}

// Describe fills in a push's title and author from the commit that was pushed, when
// the payload lists it. by is the author when it does not.
func Describe(p *delivery.Push, commits []Commit, by string) {
	for _, c := range slices.Backward(commits) {
		if c.ID == p.After {
			p.Title, p.Author, p.Email = Line(cmp.Or(c.Title, c.Message)), Line(c.author()), Line(c.email())
			break
		}
	}
	p.Author = cmp.Or(p.Author, Line(by))
}

func (c Commit) author() string { return cmp.Or(c.Author.Name, c.email()) }

func (c Commit) email() string {
	if c.Author.Email == "[REDACTED]" {
		return ""
	}
	return c.Author.Email
}

// Paths is the sorted union of the files that a push of total commits from before
// on changed. It is complete when every commit is listed with its files and there is
// one: a branch that was moved back lists none, yet its files changed.
func Paths(before string, commits []Commit, total int) (paths []string, complete bool) {
	complete = !IsZero(before) && len(commits) > 0 && total == len(commits)
	seen := map[string]bool{}
	for _, c := range commits {
		if c.Added == nil && c.Modified == nil && c.Removed == nil {
			complete = false
		}
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
	paths = make([]string, 0, len(seen))
	for path := range seen {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths, complete
}

// Accept settles a push to ref, whose Before and After are as they were sent: it fills
// in Branch or Tag, and After becomes empty when that was deleted. commit is what the
// payload calls the commit, for After of an annotated tag is the tag's own object. A
// note says in one line why the push is of no interest. The error is Invalid: no forge
// sends that. name is the forge's, for people.
func Accept(name, ref, commit string, p *delivery.Push) (note string, err error) {
	branch, isBranch := strings.CutPrefix(ref, "refs/heads/")
	tag, isTag := strings.CutPrefix(ref, "refs/tags/")
	switch {
	case isTag:
		branch = tag
	case !isBranch && strings.HasPrefix(ref, "refs/"):
		return "push outside refs/heads and refs/tags: of no interest", nil
	case !isBranch:
		branch = ""
	}
	if err := CheckRef(name, branch, p.Repo); err != nil {
		return "", err
	}
	if !IsSHA(p.Before) || !IsSHA(p.After) {
		return "", bad(name, "no commit SHA in before or after")
	}
	if p.Before == p.After {
		return "test push that changes nothing: of no interest", nil
	}
	switch {
	case IsZero(p.After):
		p.After = ""
	case isTag && IsSHA(commit) && !IsZero(commit):
		p.After = commit
	}
	if isTag {
		p.Tag = tag
		p.Paths, p.PathsComplete = nil, false // a tag changes nothing
	} else {
		p.Branch = branch
	}
	return "", nil
}

// CheckRef refuses the name of a branch or tag, or a repository, that no forge has.
func CheckRef(name, ref string, r delivery.Repo) error {
	switch {
	case ref == "" || len(ref) > MaxText || Printable(ref) != ref:
		return bad(name, "no ref refs/heads/BRANCH or refs/tags/TAG")
	case strings.Trim(r.ProjectID, "0123456789") != "" || strings.Trim(r.ProjectID, "0") == "":
		return bad(name, "no id of the repository")
	case r.Path == "" || utf8.RuneCountInString(r.Path) > maxURL || Printable(r.Path) != r.Path:
		return bad(name, "no namespace/name of the repository")
	case max(len(r.CloneURL), len(r.SSHURL), len(r.WebURL)) > maxURL:
		return bad(name, "a URL that is too long")
	}
	return nil
}

func bad(name, what string) error {
	return delivery.E(delivery.Invalid, "the push hook has "+what+"; send "+name+"'s own payload, without a custom template")
}
