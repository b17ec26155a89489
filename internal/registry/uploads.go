package registry

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// upload is the running digest of an open upload. It can be lost at any time:
// it is computed again from the file.
type upload struct {
	mu   sync.Mutex
	sum  hash.Hash
	size int64
}

func (u *upload) digest() string { return digestPrefix + hex.EncodeToString(u.sum.Sum(nil)) }

func (g *Registry) startUpload(w http.ResponseWriter, r *http.Request, t target) error {
	query := r.URL.Query()
	if digest := query.Get("mount"); digest != "" {
		if mounted, err := g.mount(r, t.repo, query.Get("from"), digest); mounted || err != nil {
			return finish(w, t.repo, digest, err)
		}
	}
	id, err := g.newUpload(t.repo)
	if err != nil {
		return err
	}
	t.ref = id
	if query.Has("digest") {
		return g.finishUpload(w, r, t)
	}
	writeProgress(w, t, http.StatusAccepted, 0)
	return nil
}

// mount links a blob of another repository, if there is one that r may read.
// Everything else is no error: the client then uploads the blob.
func (g *Registry) mount(r *http.Request, repo, from, digest string) (bool, error) {
	if !validRepo(from) || !sha256ID.MatchString(digest) || g.authorize(r, from, false) != nil {
		return false, nil
	}
	leave, err := g.gate.enter()
	if err != nil {
		return false, err
	}
	defer leave()
	if ok, err := g.use(linkKey(from, digest)); !ok || err != nil {
		return false, err
	}
	if ok, err := g.has(contentKey(digest)); !ok || err != nil {
		return false, err
	}
	return true, g.link(repo, digest)
}

func (g *Registry) newUpload(repo string) (string, error) {
	id := rand.Text()
	g.mu.Lock()
	full := len(g.open) >= g.maxUploads
	if !full {
		g.open[uploadKey(repo, id)] = &upload{sum: sha256.New()}
	}
	g.mu.Unlock()
	if full {
		return "", errTooMany
	}
	f, err := g.store.Append(uploadKey(repo, id))
	if err != nil {
		g.forget(repo, id)
		return "", err
	}
	return id, f.Close()
}

func (g *Registry) uploadStatus(w http.ResponseWriter, _ *http.Request, t target) error {
	info, err := g.store.Stat(uploadKey(t.repo, t.ref))
	if err != nil {
		return unknownUpload(err)
	}
	writeProgress(w, t, http.StatusNoContent, info.Size())
	return nil
}

func (g *Registry) appendUpload(w http.ResponseWriter, r *http.Request, t target) error {
	u, err := g.claim(t)
	if err != nil {
		return err
	}
	defer u.mu.Unlock()
	if err := g.receive(w, r, t, u); err != nil {
		return err
	}
	writeProgress(w, t, http.StatusAccepted, u.size)
	return nil
}

func (g *Registry) finishUpload(w http.ResponseWriter, r *http.Request, t target) error {
	digest := r.URL.Query().Get("digest")
	if !sha256ID.MatchString(digest) {
		return errDigest
	}
	u, err := g.claim(t)
	if err != nil {
		return err
	}
	defer u.mu.Unlock()
	if err := g.receive(w, r, t, u); err != nil {
		return err
	}
	if u.digest() != digest {
		return errors.Join(errDigestMismatch, g.discard(t))
	}
	return finish(w, t.repo, digest, g.keep(t, digest))
}

func (g *Registry) cancelUpload(w http.ResponseWriter, _ *http.Request, t target) error {
	if _, err := g.store.Stat(uploadKey(t.repo, t.ref)); err != nil {
		return unknownUpload(err)
	}
	if err := g.dropUpload(t.repo, t.ref); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// receive appends the request's body to the upload. A body that ends early
// leaves what has arrived, for the client to resume.
func (g *Registry) receive(w http.ResponseWriter, r *http.Request, t target, u *upload) error {
	if !startsAt(r.Header.Get("Content-Range"), u.size) {
		writeRange(w, t, u.size)
		return errRange
	}
	if r.ContentLength == 0 {
		return nil
	}
	f, err := g.store.Append(uploadKey(t.repo, t.ref))
	if err != nil {
		return err
	}
	body := &bodyReader{r: http.MaxBytesReader(w, r.Body, g.maxBlob-u.size)}
	n, err := io.CopyBuffer(io.MultiWriter(f, u.sum), body, make([]byte, 256<<10))
	u.size += n
	if err = errors.Join(err, f.Close()); err == nil {
		return nil
	}
	if body.err == nil { // the disk failed: file and digest may differ now
		g.forget(t.repo, t.ref)
		return fmt.Errorf("write upload: %w", err)
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(body.err, &tooLarge) {
		return errors.Join(errTooLarge, g.discard(t))
	}
	return errUploadTruncated
}

// keep turns the finished upload into a blob of the repository. It replaces
// content that is there already: only our own sync proves it durable.
func (g *Registry) keep(t target, digest string) error {
	if err := g.flush(uploadKey(t.repo, t.ref)); err != nil {
		return err
	}
	leave, err := g.gate.enter()
	if err != nil {
		return err
	}
	defer leave()
	if err := g.store.Move(uploadKey(t.repo, t.ref), contentKey(digest)); err != nil {
		return err
	}
	g.forget(t.repo, t.ref)
	return g.link(t.repo, digest)
}

// flush makes an upload durable, and young, before a collection has to wait for it.
func (g *Registry) flush(key string) error {
	f, err := g.store.Append(key)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close(), g.store.Touch(key, time.Now()))
}

// claim returns the upload with its lock held, reading it back after a restart.
func (g *Registry) claim(t target) (*upload, error) {
	key := uploadKey(t.repo, t.ref)
	if _, err := g.store.Stat(key); err != nil {
		return nil, unknownUpload(err)
	}
	g.mu.Lock()
	u, ok := g.open[key]
	if !ok {
		u = &upload{}
		g.open[key] = u
	}
	g.mu.Unlock()
	if !u.mu.TryLock() {
		return nil, errUploadBusy
	}
	if err := g.load(u, key); err != nil {
		g.forget(t.repo, t.ref)
		u.mu.Unlock()
		return nil, unknownUpload(err)
	}
	return u, nil
}

func (g *Registry) load(u *upload, key string) error {
	info, err := g.store.Stat(key) // again: it may have finished before we had the lock
	if err != nil || u.sum != nil && u.size == info.Size() {
		return err
	}
	f, err := g.store.Open(key)
	if err != nil {
		return err
	}
	defer f.Close()
	u.sum = sha256.New()
	u.size, err = io.Copy(u.sum, f)
	return err
}

// dropUpload deletes an upload that no request is writing to.
func (g *Registry) dropUpload(repo, id string) error {
	g.mu.Lock()
	u := g.open[uploadKey(repo, id)]
	g.mu.Unlock()
	if u != nil {
		if !u.mu.TryLock() {
			return errUploadBusy
		}
		defer u.mu.Unlock()
	}
	return g.discard(target{repo: repo, ref: id})
}

func (g *Registry) discard(t target) error {
	g.forget(t.repo, t.ref)
	return g.store.Delete(uploadKey(t.repo, t.ref))
}

func (g *Registry) forget(repo, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, uploadKey(repo, id))
}

func unknownUpload(err error) error {
	if delivery.KindOf(err) == delivery.NotFound {
		return errUploadUnknown
	}
	return err
}

func finish(w http.ResponseWriter, repo, digest string, err error) error {
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v2/"+repo+"/blobs/"+digest)
	w.Header().Set("Docker-Content-Digest", digest)
	w.WriteHeader(http.StatusCreated)
	return nil
}

func writeProgress(w http.ResponseWriter, t target, status int, size int64) {
	writeRange(w, t, size)
	w.WriteHeader(status)
}

// writeRange tells where to continue. The spec has no way to say "nothing yet";
// like other registries we answer 0-0 then.
func writeRange(w http.ResponseWriter, t target, size int64) {
	w.Header().Set("Location", "/v2/"+t.repo+"/blobs/uploads/"+t.ref)
	w.Header().Set("Docker-Upload-UUID", t.ref)
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(size-1, 0)))
}

// startsAt tells whether a Content-Range of the form "first-last" starts at
// size. Without the header the chunk simply follows.
func startsAt(contentRange string, size int64) bool {
	if contentRange == "" {
		return true
	}
	var first, last int64
	n, err := fmt.Sscanf(contentRange, "%d-%d", &first, &last)
	return err == nil && n == 2 && first == size && last >= first-1
}

// bodyReader remembers whether reading the body is what failed.
type bodyReader struct {
	r   io.Reader
	err error
}

func (b *bodyReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}
