package githost

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cgi"
	"os"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/git"
)

const (
	maxPush   = 1 << 30 // bytes of one request
	pushLimit = 10 * time.Minute
)

// serveGit answers the three requests of Git's smart protocol; there is nothing
// else to see.
func (h *Host) serveGit(w http.ResponseWriter, r *http.Request) {
	path, service := splitService(r)
	repo := h.repo(path)
	user, password, _ := r.BasicAuth()
	switch {
	case service == "":
		http.NotFound(w, r)
	case !sameSecret(user, h.config.User) || !sameSecret(password, h.config.Password):
		w.Header().Set("WWW-Authenticate", `Basic realm="githost"`)
		http.Error(w, "HTTP Basic: Access denied", http.StatusUnauthorized)
	case repo == nil:
		http.NotFound(w, r)
	case service == "git-receive-pack" && r.Method == http.MethodPost:
		h.receive(w, r, repo)
	default:
		h.runBackend(w, r)
	}
}

// splitService returns the repository's path and the service asked for, "" when
// it is none.
func splitService(r *http.Request) (path, service string) {
	rest := strings.TrimPrefix(r.URL.Path, "/")
	if dir, ok := strings.CutSuffix(rest, "/info/refs"); ok && r.Method == http.MethodGet {
		rest = dir + "/" + r.URL.Query().Get("service")
	} else if r.Method != http.MethodPost {
		return "", ""
	}
	for _, service := range []string{"git-upload-pack", "git-receive-pack"} {
		if dir, ok := strings.CutSuffix(rest, "/"+service); ok {
			return strings.TrimSuffix(dir, ".git"), service
		}
	}
	return "", ""
}

// receive takes a push and queues the hooks that follow from it before git push
// returns.
func (h *Host) receive(w http.ResponseWriter, r *http.Request, repo *repo) {
	ctx := context.WithoutCancel(r.Context())
	repo.pushing.Lock()
	defer repo.pushing.Unlock()
	before, err := repo.refs(ctx)
	if err != nil {
		h.log.Error("refs cannot be read", "err", err)
		http.Error(w, "the repository cannot be read", http.StatusInternalServerError)
		return
	}
	h.runBackend(w, r)
	if err := h.announce(ctx, repo, before, pusher{user: h.config.User, base: "http://" + r.Host}); err != nil {
		h.log.Error("push was not announced", "err", err)
	}
}

// runBackend hands the request to git http-backend.
func (h *Host) runBackend(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	limit := time.Now().Add(pushLimit)
	// A writer without deadlines (a test's recorder) has no peer to wait for.
	_ = errors.Join(control.SetReadDeadline(limit), control.SetWriteDeadline(limit))
	defer func() {
		_ = errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{}))
	}()

	r = r.Clone(r.Context())
	r.Body = http.MaxBytesReader(w, r.Body, maxPush)
	if r.ContentLength < 0 {
		spooled, err := spool(r)
		if err != nil {
			http.Error(w, "the push cannot be read", http.StatusBadRequest)
			return
		}
		defer spooled.Close()
	}
	h.backendFor(r).ServeHTTP(w, r)
}

// backendFor readies r, a clone, for CGI: a path that ends in .git as the
// directory does, and no password in the child's environment.
func (h *Host) backendFor(r *http.Request) *cgi.Handler {
	path, service := splitService(r)
	if r.Method == http.MethodGet {
		service = "info/refs"
	}
	r.URL.Path = "/" + path + ".git/" + service
	r.Header.Del("Authorization")

	settings := map[string]string{
		// As GitLab: any commit may be fetched by its SHA.
		"uploadpack.allowAnySHA1InWant": "true",
		"receive.autogc":                "false",
		"core.fsync":                    "none",
	}
	log := slog.NewLogLogger(h.log.Handler(), slog.LevelDebug)
	return &cgi.Handler{
		Path: h.backend, Dir: h.config.Dir, Logger: log, Stderr: log.Writer(),
		Env: append(git.Env(settings), "GIT_PROJECT_ROOT="+h.config.Dir, "GIT_HTTP_EXPORT_ALL=1",
			"REMOTE_USER="+h.config.User, "GIT_PROTOCOL="+r.Header.Get("Git-Protocol")),
	}
}

// spool gives a chunked body a length, which CGI needs; git sends packs of more
// than 1 MiB in chunks.
func spool(r *http.Request) (*os.File, error) {
	f, err := os.CreateTemp("", "githost-push-")
	if err != nil {
		return nil, err
	}
	// Unlinked at once: the open file is all that is needed.
	err = os.Remove(f.Name())
	if err == nil {
		r.ContentLength, err = io.Copy(f, r.Body)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r.Body, r.TransferEncoding = f, nil
	return f, nil
}
