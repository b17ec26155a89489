package supervisor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// revisionHeader tells which version answered, so that shares can be measured.
const revisionHeader = "X-Shiplock-Revision"

var errNoBackend = errors.New("no healthy instance")

// proxy is the one address of a Target. It picks an instance per request and
// moves a request that cannot have been seen by one instance to another.
type proxy struct {
	router  *router
	base    *http.Transport
	reverse *httputil.ReverseProxy
}

func newProxy(r *router, log *slog.Logger) *proxy {
	p := &proxy{router: r, base: appTransport()}
	p.reverse = &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.URL.RawQuery = pr.In.URL.RawQuery // as sent, even where Go would not parse it
			pr.SetXForwarded()
		},
		Transport:    p,
		BufferPool:   &buffers{},
		ErrorHandler: p.fail,
		ErrorLog:     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return p
}

func appTransport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
		DisableCompression:  true, // bodies pass as they are
		MaxIdleConnsPerHost: 256,
		// Below the keep-alive of common servers (gunicorn 2 s, Node 5 s): theirs
		// must not end in the moment when a request is sent on the connection.
		IdleConnTimeout: 1500 * time.Millisecond,
	}
}

func newProxyServer(p *proxy, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           p,
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// flight is one request and the instance that has it.
type flight struct {
	router  *router
	backend *backend
	failed  bool
}

type flightKey struct{}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := &flight{router: p.router}
	finished := false
	defer func() { f.end(finished || r.Context().Err() != nil) }()
	p.reverse.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), flightKey{}, f)))
	finished = true // not reached when the answer breaks off: ReverseProxy panics
}

// RoundTrip sends the request to the instance whose turn it is, and once more to
// another one where that is safe.
func (p *proxy) RoundTrip(req *http.Request) (*http.Response, error) {
	f, ok := req.Context().Value(flightKey{}).(*flight)
	if !ok || !f.board(nil) {
		return nil, errNoBackend
	}
	body := &onceBody{ReadCloser: req.Body}
	res, err := p.send(req, f.backend, body)
	if err != nil && mayRetry(req, body, err) && f.board(f.backend) {
		res, err = p.send(req, f.backend, body)
	}
	if err != nil {
		f.fail(req.Context())
		return nil, err
	}
	if res.StatusCode >= 500 {
		f.fail(req.Context())
	}
	res.Header.Set(revisionHeader, f.backend.revision.id)
	return res, nil
}

func (p *proxy) send(req *http.Request, b *backend, body *onceBody) (*http.Response, error) {
	out := req.WithContext(req.Context())
	out.URL = &url.URL{}
	*out.URL = *req.URL
	out.URL.Scheme, out.URL.Host = "http", b.addr
	if body.ReadCloser != nil {
		out.Body = body
	}
	res, err := p.base.RoundTrip(out)
	if isRefused(err) {
		select {
		case b.suspect <- struct{}{}:
		default:
		}
	}
	return res, err
}

// mayRetry: nothing of the request was sent, or it may be repeated by its
// method (RFC 9110, 9.2.2) and has no body.
func mayRetry(req *http.Request, body *onceBody, err error) bool {
	if req.Context().Err() != nil {
		return false
	}
	if isRefused(err) {
		return !body.touched
	}
	safe := req.Method == http.MethodGet || req.Method == http.MethodHead || req.Method == http.MethodOptions
	return safe && (req.Body == nil || req.Body == http.NoBody)
}

func isRefused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// fail answers for an instance that did not, in one plain line.
func (p *proxy) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, text := http.StatusBadGateway, "the app closed the connection before it answered"
	if errors.Is(err, errNoBackend) {
		status, text = http.StatusServiceUnavailable, p.router.refuse()
	} else if isRefused(err) {
		status, text = http.StatusServiceUnavailable, "the app refused the connection"
	}
	if f, ok := r.Context().Value(flightKey{}).(*flight); ok && f.backend != nil {
		w.Header().Set(revisionHeader, f.backend.revision.id)
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, "shiplock: "+text, status)
}

// board moves the flight to an instance other than except; false when there is none.
func (f *flight) board(except *backend) bool {
	next := f.router.acquire(except)
	if next == nil {
		return false
	}
	if f.backend != nil {
		f.backend.revision.requests.Add(-1)
		f.backend.revision.retried.Add(1)
		f.router.release(f.backend)
	}
	f.backend = next
	next.revision.requests.Add(1)
	return true
}

// fail counts a failure once, unless it was the caller who went away.
func (f *flight) fail(ctx context.Context) {
	if f.failed || f.backend == nil || errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	f.failed = true
	f.backend.revision.failed.Add(1)
}

func (f *flight) end(whole bool) {
	if f.backend == nil {
		return
	}
	if !whole {
		f.fail(context.Background())
	}
	f.router.release(f.backend)
}

// onceBody lets a transport close the body without losing it for a second
// attempt, and remembers whether anything was read. The server closes the real one.
type onceBody struct {
	io.ReadCloser
	touched bool
}

func (b *onceBody) Read(p []byte) (int, error) {
	b.touched = true
	return b.ReadCloser.Read(p)
}

func (b *onceBody) Close() error { return nil }

// buffers is a pool of copy buffers. It holds pointers: a slice in a sync.Pool
// would allocate at each Put.
type buffers struct{ pool sync.Pool }

type buffer [32 << 10]byte

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*buffer); ok {
		return p[:]
	}
	return new(buffer)[:]
}

func (b *buffers) Put(p []byte) { b.pool.Put((*buffer)(p)) }
