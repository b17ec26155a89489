package site

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// cleaned is the path of a request relative to the root, "." for the root itself;
// false when nothing may be served there, whatever there is.
func cleaned(p string) (string, bool) {
	if !strings.HasPrefix(p, "/") || strings.ContainsAny(p, "\x00\\") {
		return "", false
	}
	p = strings.TrimPrefix(path.Clean(p), "/")
	if p == "" {
		return ".", true
	}
	for i, part := range strings.Split(p, "/") {
		if strings.HasPrefix(part, ".") && (i > 0 || part != ".well-known") {
			return "", false
		}
	}
	return p, true
}

// found is a file that answers a path: no name when there is none. When it moved,
// the path must be asked for as name.
type found struct {
	name  string
	moved bool
}

// file finds the file for a path: itself, a folder's index, or the page of that
// name, as most generators of static sites expect. slash: the path ended with one.
func (s *Site) file(p string, slash bool) found {
	info, err := s.root.Stat(p)
	switch {
	case err == nil && info.Mode().IsRegular():
		return found{name: p}
	case err == nil && info.IsDir():
		if index := path.Join(p, "index.html"); s.regular(index) {
			return folder(p, index, slash)
		}
	}
	if page := p + ".html"; p != "." && s.regular(page) {
		return found{name: page}
	}
	return found{}
}

// folder answers with a folder's index once the path ends with a slash, without
// which the links in it would lead elsewhere.
func folder(p, index string, slash bool) found {
	if !slash {
		return found{name: p + "/", moved: true}
	}
	return found{name: index}
}

func (s *Site) regular(name string) bool {
	info, err := s.root.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// navigates tells a person who goes to a page from a script or picture that is
// not there.
func navigates(r *http.Request, p string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	accepts := strings.Join(r.Header.Values("Accept"), ",")
	return path.Ext(p) == "" && (accepts == "" || strings.Contains(accepts, "text/html") || strings.Contains(accepts, "*/*"))
}

// redirect sends the client to a path of this site, with the query that it came
// with.
func redirect(w http.ResponseWriter, r *http.Request, to string) {
	u := url.URL{Path: "/" + strings.TrimPrefix(to, "/"), RawQuery: r.URL.RawQuery}
	w.Header().Set("Cache-Control", "no-cache")
	http.Redirect(w, r, u.String(), http.StatusMovedPermanently)
}

var gone = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// hop tells whether a header field is about one connection only.
func hop(name string) bool { return slices.Contains(gone, http.CanonicalHeaderKey(name)) }
