package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/engine"
)

// Limits of the HTTP server. Streams and the registry extend their own deadlines.
const (
	headerTimeout   = 10 * time.Second
	requestTimeout  = 30 * time.Second
	transferTimeout = 60 * time.Second // of a request's body, and of its answer
	idleTimeout     = 2 * time.Minute
	stopTimeout     = 10 * time.Second
	maxHeader       = 64 << 10
	maxBody         = 4 << 20
	maxHook         = 25 << 20
)

// Config is what a Server needs.
type Config struct {
	Engine *engine.Engine
	Reader Reader
	Logs   Logs
	// Apps are where they were deployed.
	Apps Apps
	Auth Auth
	// SignOn is nil without an identity provider; SignOnName is its name on the page.
	SignOn     SignOn
	SignOnName string
	// People are who may sign in.
	People People
	// TrustedProxies say truly, in X-Forwarded-For, whom a request is from.
	TrustedProxies []netip.Prefix
	// Builds is where builds run, and Places how many may at once.
	Builds Builds
	Places int
	// Examiner looks at the installation for `shiplock doctor`.
	Examiner Examiner
	// Hooks reads deliveries at POST /hooks/<name>.
	Hooks map[string]HookReader
	// Reconciler is nil when nobody looks for pushes without a hook.
	Reconciler *engine.Reconciler
	// Registry serves /v2/, and authenticates by itself.
	Registry http.Handler
	// PublicURL is how people reach the server; https makes cookies Secure.
	PublicURL string
	// Lang is spoken to who asks for none; empty is English.
	Lang    phrase.Lang
	Version string
	Log     *slog.Logger
	Now     func() time.Time
}

// Server answers HTTP.
type Server struct {
	cfg     Config
	handler http.Handler
	routes  []string // as registered, for tests
	public  map[string]bool
	board   *board
	catalog *documents
	health  *hookHealth
	places  *places
	intake  *intake
	logins  *attempts
	// reading is full when as many logs of apps are read as may be at once.
	reading chan struct{}
	// examining has room for one check of the installation.
	examining chan struct{}
	reached   reached
	// stopping ends streams when the server does.
	stopping chan struct{}
}

// New returns a Server; Serve makes it answer.
func New(cfg Config) *Server {
	s := &Server{
		cfg: cfg, public: map[string]bool{}, stopping: make(chan struct{}), examining: make(chan struct{}, 1),
		catalog: &documents{reader: cfg.Reader},
		health:  newHookHealth(cfg.Reader, cfg.Now),
		places:  newPlaces(cfg.Reader),
		intake:  newIntake(),
		reading: make(chan struct{}, maxAppLogs),
		logins:  newAttempts(cfg.Now),
	}
	s.board = newBoard(cfg.Reader, cfg.Engine.Live())
	s.handler = s.wrap(s.register())
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers on the listener until ctx ends. Then streams end, and requests
// under way get ten seconds. It is called once.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: transferTimeout, WriteTimeout: transferTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	close(s.stopping)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	err := srv.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	<-failed
	return err
}

func (s *Server) secure() bool { return strings.HasPrefix(s.cfg.PublicURL, "https:") }
