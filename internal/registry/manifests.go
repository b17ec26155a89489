package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// maxManifest bounds a manifest in bytes, as other registries do.
const maxManifest = 4 << 20

const (
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	URLs         []string          `json:"urls,omitempty"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// document is what manifests and indexes have in common, as far as a registry
// looks inside.
type document struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *descriptor       `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Manifests     []descriptor      `json:"manifests"`
	Subject       *descriptor       `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
}

func (g *Registry) getManifest(w http.ResponseWriter, r *http.Request, t target) error {
	mediaType, digest, content, err := g.useManifest(t)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	h.Set("Docker-Content-Digest", digest)
	h.Set("Etag", `"`+digest+`"`)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // the peer may be gone; there is nobody left to tell
	}
	return nil
}

// useManifest reads a manifest, which counts as a use of it.
func (g *Registry) useManifest(t target) (mediaType, digest string, content []byte, err error) {
	leave, err := g.gate.enter()
	if err != nil {
		return "", "", nil, err
	}
	defer leave()
	if digest, err = g.resolve(t); err != nil {
		return "", "", nil, err
	}
	if _, err = g.use(manifestKey(t.repo, digest)); err != nil {
		return "", "", nil, err
	}
	mediaType, content, err = g.manifest(t.repo, digest)
	return mediaType, digest, content, err
}

func (g *Registry) putManifest(w http.ResponseWriter, r *http.Request, t target) error {
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxManifest))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return errTooLarge
	}
	if err != nil {
		return manifestInvalid("the request body ended early")
	}
	digest := digestOf(content)
	if isDigest(t.ref) && t.ref != digest {
		return errDigestMismatch
	}
	doc, err := parseManifest(content, r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	leave, err := g.gate.enter()
	if err != nil {
		return err
	}
	defer leave()
	defer g.lock(t.repo)()
	if err := g.checkParts(t.repo, doc); err != nil {
		return err
	}
	if err := g.storeManifest(t, digest, content, doc); err != nil {
		return err
	}
	if doc.Subject != nil {
		w.Header().Set("OCI-Subject", doc.Subject.Digest)
	}
	w.Header().Set("Location", "/v2/"+t.repo+"/manifests/"+digest)
	w.Header().Set("Docker-Content-Digest", digest)
	w.WriteHeader(http.StatusCreated)
	return nil
}

func parseManifest(content []byte, contentType string) (document, error) {
	var doc document
	if err := json.Unmarshal(content, &doc); err != nil {
		return doc, manifestInvalid("the manifest is not JSON of the right shape")
	}
	if contentType != "" {
		mediaType, _, err := mime.ParseMediaType(contentType)
		if err != nil || doc.MediaType != "" && doc.MediaType != mediaType {
			return doc, manifestInvalid("Content-Type and mediaType differ")
		}
		doc.MediaType = mediaType
	}
	if doc.SchemaVersion != 2 || !slices.Contains([]string{ociManifest, ociIndex, dockerManifest, dockerList}, doc.MediaType) {
		return doc, manifestInvalid(fmt.Sprintf("unsupported manifest type %.100q", doc.MediaType))
	}
	if (doc.MediaType == ociManifest || doc.MediaType == dockerManifest) && doc.Config == nil {
		return doc, manifestInvalid("the manifest has no config")
	}
	if doc.Subject != nil && !isDigest(doc.Subject.Digest) {
		return doc, errDigest
	}
	return doc, nil
}

// checkParts refuses a manifest that names what the repository does not hold.
// A subject may be pushed later.
func (g *Registry) checkParts(repo string, doc document) error {
	parts := doc.Layers
	if doc.Config != nil {
		parts = append(parts, *doc.Config)
	}
	for _, d := range parts {
		if len(d.URLs) > 0 { // kept elsewhere, as some vendors' licences demand
			continue
		}
		if err := g.checkPart(linkKey, repo, d); err != nil {
			return err
		}
	}
	for _, d := range doc.Manifests {
		if err := g.checkPart(manifestKey, repo, d); err != nil {
			return err
		}
	}
	return nil
}

func (g *Registry) checkPart(key func(repo, digest string) string, repo string, d descriptor) error {
	if !isDigest(d.Digest) {
		return errDigest
	}
	if ok, err := g.use(key(repo, d.Digest)); err != nil || !ok {
		return orElse(err, manifestBlobUnknown(d.Digest))
	}
	info, err := g.store.Stat(contentKey(d.Digest))
	if delivery.KindOf(err) == delivery.NotFound {
		return manifestBlobUnknown(d.Digest)
	}
	if err != nil {
		return err
	}
	if info.Size() != d.Size {
		return manifestInvalid(fmt.Sprintf("%s has %d bytes, not %d", d.Digest, info.Size(), d.Size))
	}
	return nil
}

// storeManifest writes what is pointed to before what points to it.
func (g *Registry) storeManifest(t target, digest string, content []byte, doc document) error {
	if err := g.store.Put(contentKey(digest), content); err != nil {
		return err
	}
	if err := g.store.Put(manifestKey(t.repo, digest), []byte(doc.MediaType)); err != nil {
		return err
	}
	if doc.Subject != nil {
		if err := g.store.Put(referrersDir(t.repo, doc.Subject.Digest)+"/"+hexOf(digest), nil); err != nil {
			return err
		}
	}
	if isDigest(t.ref) {
		return nil
	}
	return g.store.Put(tagKey(t.repo, t.ref), []byte(digest))
}

func (g *Registry) deleteManifest(w http.ResponseWriter, _ *http.Request, t target) error {
	defer g.lock(t.repo)()
	digest, err := g.resolve(t)
	if err != nil {
		return err
	}
	if isDigest(t.ref) {
		err = g.removeManifest(t.repo, digest)
	} else {
		err = g.store.Delete(tagKey(t.repo, t.ref))
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (g *Registry) removeManifest(repo, digest string) error {
	_, content, err := g.manifest(repo, digest)
	if err != nil {
		return err
	}
	tags, err := g.store.List(tagsDir(repo))
	if err != nil {
		return err
	}
	for _, tag := range tags {
		at, err := g.resolve(target{repo: repo, ref: tag.Name()})
		if err != nil && !errors.Is(err, errManifestUnknown) {
			return err
		}
		if at == digest {
			if err := g.store.Delete(tagKey(repo, tag.Name())); err != nil {
				return err
			}
		}
	}
	var doc document
	if json.Unmarshal(content, &doc) == nil && doc.Subject != nil {
		if err := g.store.Delete(referrersDir(repo, doc.Subject.Digest) + "/" + hexOf(digest)); err != nil {
			return err
		}
	}
	return g.store.Delete(manifestKey(repo, digest))
}

// resolve returns the digest that a tag or digest names, if the repository has
// that manifest.
func (g *Registry) resolve(t target) (string, error) {
	digest := t.ref
	if !isDigest(t.ref) {
		content, err := g.store.Get(tagKey(t.repo, t.ref), 1<<10)
		if err != nil {
			return "", unknownManifest(err)
		}
		digest = string(content)
	}
	if ok, err := g.has(manifestKey(t.repo, digest)); err != nil || !ok {
		return "", orElse(err, errManifestUnknown)
	}
	return digest, nil
}

func (g *Registry) manifest(repo, digest string) (mediaType string, content []byte, err error) {
	kind, err := g.store.Get(manifestKey(repo, digest), 1<<10)
	if err != nil {
		return "", nil, unknownManifest(err)
	}
	content, err = g.store.Get(contentKey(digest), maxManifest)
	return string(kind), content, err
}

func unknownManifest(err error) error {
	if delivery.KindOf(err) == delivery.NotFound {
		return errManifestUnknown
	}
	return err
}

func isDigest(ref string) bool {
	return strings.HasPrefix(ref, digestPrefix) && sha256ID.MatchString(ref)
}
