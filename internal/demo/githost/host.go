package githost

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/shiplock/shiplock/internal/git"
)

// Config of a Host. What is empty is switched off.
type Config struct {
	// Dir holds the bare repositories. Empty means a Host without Git, which needs
	// no git program: only the API.
	Dir string
	// User and Password are asked of every Git request.
	User, Password string
	// HookURL gets a Push Hook after each push, with HookToken in X-Gitlab-Token.
	HookURL, HookToken string
	// APIToken is the PRIVATE-TOKEN that the API asks for.
	APIToken string
	// Backoff are the waits before each repetition of a hook that was not taken;
	// nil means 0.1, 0.3, 1, 3 and 10 seconds.
	Backoff []time.Duration
	Log     *slog.Logger     // nil discards
	Now     func() time.Time // nil is time.Now
}

// Host is the forge. It is an http.Handler; Run sends its hooks.
type Host struct {
	config      Config
	log         *slog.Logger
	backend     string // path of git http-backend
	webhookUUID string
	mux         *http.ServeMux
	hooks       chan hook
	ledger      *ledger

	mu    sync.Mutex
	repos map[string]*repo
}

// queuedHooks bounds the hooks that wait for a receiver; more are dropped with a
// warning, as a forge's rate limit would.
const queuedHooks = 1024

// New makes a Host with no repository.
func New(c Config) (*Host, error) {
	if c.Backoff == nil {
		c.Backoff = []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second, 3 * time.Second, 10 * time.Second}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	h := &Host{
		config: c, log: c.Log, webhookUUID: uuid.NewString(), mux: http.NewServeMux(),
		hooks: make(chan hook, queuedHooks), ledger: newLedger(), repos: map[string]*repo{},
	}
	h.mux.HandleFunc("POST /api/v4/projects/{id}/statuses/{sha}", h.postStatus)
	if c.Dir == "" {
		return h, nil
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, err
	}
	h.config.Dir = dir
	if h.backend, err = backendPath(); err != nil {
		return nil, err
	}
	h.mux.HandleFunc("/", h.serveGit)
	return h, nil
}

func backendPath() (string, error) {
	cmd := exec.Command("git", "--exec-path")
	cmd.Env = git.Env(nil)
	out, err := cmd.Output()
	if err != nil {
		return "", errors.Join(errors.New("git is needed to host repositories; install git 2.31 or newer"), err)
	}
	return exec.LookPath(filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"))
}

func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// Run sends the hooks of pushes, in order, until ctx ends. Hooks that are not
// taken by then are lost, as they would be with a forge that is switched off.
func (h *Host) Run(ctx context.Context) error {
	sender := newSender(h.config)
	defer sender.close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case hook := <-h.hooks:
			if err := sender.deliver(ctx, hook); err != nil && ctx.Err() == nil {
				h.log.Warn("hook was not taken", "err", err)
			}
		}
	}
}

func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
