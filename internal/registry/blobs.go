package registry

import (
	"net/http"
	"os"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func (g *Registry) getBlob(w http.ResponseWriter, r *http.Request, t target) error {
	f, err := g.openBlob(t.repo, t.ref)
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Docker-Content-Digest", t.ref)
	h.Set("Etag", `"`+t.ref+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// openBlob opens a blob of the repository, which counts as a use of it.
func (g *Registry) openBlob(repo, digest string) (*os.File, error) {
	leave, err := g.gate.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	if ok, err := g.use(linkKey(repo, digest)); err != nil || !ok {
		return nil, orElse(err, errBlobUnknown)
	}
	f, err := g.store.Open(contentKey(digest))
	if delivery.KindOf(err) == delivery.NotFound {
		err = errBlobUnknown // only after a power failure: it has to be pushed again
	}
	return f, err
}

// deleteBlob takes the blob from the repository; its content stays, since other
// repositories may hold it.
func (g *Registry) deleteBlob(w http.ResponseWriter, _ *http.Request, t target) error {
	if ok, err := g.has(linkKey(t.repo, t.ref)); err != nil || !ok {
		return orElse(err, errBlobUnknown)
	}
	if err := g.store.Delete(linkKey(t.repo, t.ref)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// link makes stored content a blob of repo.
func (g *Registry) link(repo, digest string) error {
	key := linkKey(repo, digest)
	if ok, err := g.use(key); ok || err != nil {
		return err
	}
	return g.store.Put(key, nil)
}

func (g *Registry) has(key string) (bool, error) {
	_, err := g.store.Stat(key)
	if delivery.KindOf(err) == delivery.NotFound {
		return false, nil
	}
	return err == nil, err
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
