package registry

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/blob"
)

// Config of a Registry; Dir is required.
type Config struct {
	// Dir is where everything is kept. Several processes may use it.
	Dir string
	// Authorize says whether r may read from repo, or also push to it. An empty
	// repo asks for access to the registry at all. A delivery.Denied error is
	// answered 401 with a Basic challenge. Nil allows everything.
	Authorize func(r *http.Request, repo string, push bool) error
	// MaxBlob bounds one blob in bytes; 0 means 8 GiB.
	MaxBlob int64
	// MaxUploads bounds the uploads open at once; 0 means 1024.
	MaxUploads int
	// Log gets errors that are the registry's own; nil drops them.
	Log *slog.Logger
}

// Registry serves /v2/. It is an http.Handler; mount it at "/v2/" with the
// prefix kept.
type Registry struct {
	store      *blob.Dir
	authorize  func(r *http.Request, repo string, push bool) error
	maxBlob    int64
	maxUploads int
	log        *slog.Logger

	mu   sync.Mutex
	open map[string]*upload

	// repos serialises the writers of a repository's manifests and tags, by
	// hash of its name.
	repos [64]sync.Mutex

	gate      gate                 // before repos
	condemned map[string]time.Time // manifests, by repository@digest; Collect's
}

// Open opens the registry kept in c.Dir, making it when it is missing.
func Open(c Config) (*Registry, error) {
	store, err := blob.Open(c.Dir)
	if err != nil {
		return nil, err
	}
	dir, err := os.Open(c.Dir)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	allow := func(*http.Request, string, bool) error { return nil }
	if c.Authorize != nil {
		allow = c.Authorize
	}
	return &Registry{
		store:      store,
		authorize:  allow,
		maxBlob:    cmp.Or(c.MaxBlob, 8<<30),
		maxUploads: cmp.Or(c.MaxUploads, 1024),
		log:        cmp.Or(c.Log, slog.New(slog.DiscardHandler)),
		open:       make(map[string]*upload),
		condemned:  make(map[string]time.Time),
		gate:       gate{dir: dir},
	}, nil
}

// Close releases the directory; call it after the last request has ended.
func (g *Registry) Close() error { return errors.Join(g.store.Close(), g.gate.dir.Close()) }

func (g *Registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	err := g.serve(w, r)
	if err == nil {
		return
	}
	e, ok := apiErrorOf(err)
	if !ok && r.Context().Err() == nil {
		g.log.LogAttrs(r.Context(), slog.LevelError, "registry request", slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Any("err", err))
	}
	writeError(w, e)
}

type handler func(w http.ResponseWriter, r *http.Request, t target) error

func (g *Registry) serve(w http.ResponseWriter, r *http.Request) error {
	t, err := parsePath(r.URL.Path)
	if err != nil {
		return err
	}
	handle, ok := g.routes(t)[r.Method]
	if !ok {
		return errMethod
	}
	push := r.Method != http.MethodGet && r.Method != http.MethodHead || t.endpoint == uploads
	if err := g.authorize(r, t.repo, push); err != nil {
		return err
	}
	return handle(w, r, t)
}

func (g *Registry) routes(t target) map[string]handler {
	switch t.endpoint {
	case ping:
		return map[string]handler{"GET": pong, "HEAD": pong}
	case catalog:
		return map[string]handler{"GET": g.listRepos}
	case tags:
		return map[string]handler{"GET": g.listTags}
	case referrers:
		return map[string]handler{"GET": g.listReferrers}
	case blobs:
		return map[string]handler{"GET": g.getBlob, "HEAD": g.getBlob, "DELETE": g.deleteBlob}
	case manifests:
		return map[string]handler{"GET": g.getManifest, "HEAD": g.getManifest, "PUT": g.putManifest, "DELETE": g.deleteManifest}
	case uploads:
		if t.ref == "" {
			return map[string]handler{"POST": g.startUpload}
		}
		return map[string]handler{"GET": g.uploadStatus, "PATCH": g.appendUpload, "PUT": g.finishUpload, "DELETE": g.cancelUpload}
	}
	return nil
}

func pong(w http.ResponseWriter, _ *http.Request, _ target) error {
	writeJSON(w, http.StatusOK, "application/json", struct{}{})
	return nil
}

// lock keeps other writers out of repo's manifests and tags until unlock.
func (g *Registry) lock(repo string) (unlock func()) {
	h := fnv.New32a()
	h.Write([]byte(repo))
	mu := &g.repos[h.Sum32()%uint32(len(g.repos))]
	mu.Lock()
	return mu.Unlock
}

// Sweep deletes uploads that have received nothing since before, and returns
// how many.
func (g *Registry) Sweep(ctx context.Context, before time.Time) (int, error) {
	swept := 0
	err := g.eachRepo("", func(repo string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := g.sweepRepo(repo, before)
		swept += n
		return err
	})
	return swept, err
}

func (g *Registry) sweepRepo(repo string, before time.Time) (int, error) {
	entries, err := g.store.List(uploadsDir(repo))
	swept := 0
	for _, e := range entries {
		info, statErr := e.Info()
		if statErr != nil || !info.ModTime().Before(before) {
			continue
		}
		dropErr := g.dropUpload(repo, e.Name())
		if errors.Is(dropErr, errUploadBusy) {
			continue
		}
		if dropErr == nil {
			swept++
		}
		err = errors.Join(err, dropErr)
	}
	return swept, err
}
