package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxPage bounds the names in one answer.
const maxPage = 10_000

func (g *Registry) listTags(w http.ResponseWriter, r *http.Request, t target) error {
	if ok, err := g.hasRepo(t.repo); err != nil || !ok {
		return orElse(err, errNameUnknown)
	}
	entries, err := g.store.List(tagsDir(t.repo))
	if err != nil {
		return err
	}
	page, err := paginate(w, r, names(entries))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, "application/json", map[string]any{"name": t.repo, "tags": page})
	return nil
}

// listRepos names the repositories that the request may read.
func (g *Registry) listRepos(w http.ResponseWriter, r *http.Request, _ target) error {
	found := []string{}
	err := g.eachRepo("", func(repo string) error {
		if g.authorize(r, repo, false) != nil {
			return nil
		}
		ok, err := g.hasRepo(repo)
		if ok {
			found = append(found, repo)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(found)
	page, err := paginate(w, r, found)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, "application/json", map[string]any{"repositories": page})
	return nil
}

func (g *Registry) listReferrers(w http.ResponseWriter, r *http.Request, t target) error {
	entries, err := g.store.List(referrersDir(t.repo, t.ref))
	if err != nil {
		return err
	}
	wanted := r.URL.Query().Get("artifactType")
	found := []descriptor{}
	for _, e := range entries {
		d, err := g.describe(t.repo, digestPrefix+e.Name())
		if errors.Is(err, errManifestUnknown) { // deleted meanwhile
			continue
		}
		if err != nil {
			return err
		}
		if wanted == "" || wanted == d.ArtifactType {
			found = append(found, d)
		}
	}
	if wanted != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	writeJSON(w, http.StatusOK, ociIndex, map[string]any{"schemaVersion": 2, "mediaType": ociIndex, "manifests": found})
	return nil
}

func (g *Registry) describe(repo, digest string) (descriptor, error) {
	mediaType, content, err := g.manifest(repo, digest)
	if err != nil {
		return descriptor{}, err
	}
	var doc document
	if err := json.Unmarshal(content, &doc); err != nil {
		return descriptor{}, fmt.Errorf("read manifest %s: %w", digest, err)
	}
	if doc.ArtifactType == "" && doc.Config != nil {
		doc.ArtifactType = doc.Config.MediaType
	}
	return descriptor{MediaType: mediaType, Digest: digest, Size: int64(len(content)), ArtifactType: doc.ArtifactType, Annotations: doc.Annotations}, nil
}

// eachRepo visits every repository below the name prefix, "" for all.
func (g *Registry) eachRepo(prefix string, visit func(repo string) error) error {
	entries, err := g.store.List(strings.TrimSuffix("repos/"+prefix, "/"))
	if err != nil {
		return err
	}
	own := false
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "_") {
			own = true
			continue
		}
		if err := g.eachRepo(prefix+e.Name()+"/", visit); err != nil {
			return err
		}
	}
	if own {
		return visit(strings.TrimSuffix(prefix, "/"))
	}
	return nil
}

func (g *Registry) hasRepo(repo string) (bool, error) {
	entries, err := g.store.List(manifestsDir(repo))
	return len(entries) > 0, err
}

// paginate returns the names after ?last=, at most ?n= of them, and adds the
// Link to the next page.
func paginate(w http.ResponseWriter, r *http.Request, sorted []string) ([]string, error) {
	query := r.URL.Query()
	n := maxPage
	if query.Has("n") {
		asked, err := strconv.Atoi(query.Get("n"))
		if err != nil || asked < 0 {
			return nil, errPage
		}
		n = min(n, asked)
	}
	if last := query.Get("last"); last != "" {
		at, found := slices.BinarySearch(sorted, last)
		if found {
			at++
		}
		sorted = sorted[at:]
	}
	if len(sorted) <= n {
		return sorted, nil
	}
	if n > 0 {
		next := url.Values{"n": {strconv.Itoa(n)}, "last": {sorted[n-1]}}
		w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, r.URL.Path, next.Encode()))
	}
	return sorted[:n], nil
}

func names(entries []fs.DirEntry) []string {
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.Name()
	}
	return out
}
