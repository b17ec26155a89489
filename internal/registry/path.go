package registry

import (
	"regexp"
	"strings"
)

type endpoint uint8

const (
	unknown endpoint = iota
	ping
	catalog
	blobs
	uploads
	manifests
	tags
	referrers
)

// target is what a request path names. ref is a digest, a tag or an upload id,
// by endpoint; it is empty where a new upload starts.
type target struct {
	endpoint endpoint
	repo     string
	ref      string
}

var (
	repoName = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagName  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	uploadID = regexp.MustCompile(`^[A-Z2-7]{26}$`)
	sha256ID = regexp.MustCompile(`^sha256:[a-f0-9]{64}$`)
)

// maxRepoName bounds a repository name in bytes.
const maxRepoName = 255

// parsePath reads a path from its end, because a repository name may itself
// hold words such as "blobs". A name or reference that breaks the grammar is
// an *apiError.
func parsePath(p string) (target, error) {
	rest, ok := strings.CutPrefix(p, "/v2/")
	switch {
	case p == "/v2" || ok && rest == "":
		return target{endpoint: ping}, nil
	case !ok:
		return target{}, errNotFound
	case rest == "_catalog":
		return target{endpoint: catalog}, nil
	}
	t := split(rest)
	if t.endpoint == unknown {
		return target{}, errNotFound
	}
	return t, t.validate()
}

func split(rest string) target {
	if repo, ok := cutEnd(rest, "/blobs/uploads/", "/blobs/uploads"); ok {
		return target{uploads, repo, ""}
	}
	if repo, ok := cutEnd(rest, "/tags/list"); ok {
		return target{tags, repo, ""}
	}
	head, ref, _ := cutLast(rest)
	if repo, ok := cutEnd(head, "/blobs/uploads"); ok {
		return target{uploads, repo, ref}
	}
	for suffix, e := range map[string]endpoint{"/blobs": blobs, "/manifests": manifests, "/referrers": referrers} {
		if repo, ok := cutEnd(head, suffix); ok {
			return target{e, repo, ref}
		}
	}
	return target{}
}

func cutEnd(s string, suffixes ...string) (string, bool) {
	for _, suffix := range suffixes {
		if head, ok := strings.CutSuffix(s, suffix); ok {
			return head, true
		}
	}
	return "", false
}

func cutLast(s string) (head, last string, found bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

func (t target) validate() error {
	if !validRepo(t.repo) {
		return errName
	}
	switch t.endpoint {
	case blobs, referrers:
		if !sha256ID.MatchString(t.ref) {
			return errDigest
		}
	case manifests:
		if !sha256ID.MatchString(t.ref) && !tagName.MatchString(t.ref) {
			return errReference
		}
	case uploads:
		if t.ref != "" && !uploadID.MatchString(t.ref) {
			return errUploadUnknown
		}
	}
	return nil
}

func validRepo(name string) bool {
	return len(name) <= maxRepoName && repoName.MatchString(name)
}
