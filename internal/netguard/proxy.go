package netguard

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Proxy lets programs that dial by themselves, such as git, reach what the guard lets
// them, and nothing else. It listens on this machine, and wants a password that only
// this process and its children know.
type Proxy struct {
	guard    *Guard
	listener net.Listener
	password string
	plain    *http.Transport
}

// Listen opens a proxy; Run makes it answer.
func (g *Guard) Listen(ctx context.Context) (*Proxy, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for git's connections: %w", err)
	}
	return &Proxy{guard: g, listener: l, password: rand.Text(), plain: g.Transport()}, nil
}

// URL is the proxy's address, with what opens it.
func (p *Proxy) URL() string {
	u := url.URL{Scheme: "http", User: url.UserPassword("git", p.password), Host: p.listener.Addr().String()}
	return u.String()
}

// Close makes the proxy answer no more; it is for one that never ran.
func (p *Proxy) Close() error { return p.listener.Close() }

// Run answers until ctx ends.
func (p *Proxy) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	srv := &http.Server{
		Handler: p, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx }, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0),
	}
	var g errgroup.Group
	g.Go(func() error {
		<-ctx.Done()
		p.plain.CloseIdleConnections()
		return srv.Close()
	})
	err := srv.Serve(p.listener)
	cancel()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, g.Wait())
}

// ServeHTTP answers CONNECT, and requests for plain http.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !p.knows(r) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="shiplock"`)
		http.Error(w, "this proxy is Shiplock's own", http.StatusProxyAuthRequired)
		return
	}
	r.Header.Del("Proxy-Authorization")
	r.Header.Del("Proxy-Connection")
	switch {
	case r.Method == http.MethodConnect:
		p.tunnel(w, r)
	case r.URL.Scheme == "http" && r.URL.Host != "":
		p.forward(w, r)
	default:
		http.Error(w, "http and CONNECT only", http.StatusBadRequest)
	}
}

func (p *Proxy) knows(r *http.Request) bool {
	_, code, _ := strings.Cut(r.Header.Get("Proxy-Authorization"), " ")
	want := base64.StdEncoding.EncodeToString([]byte("git:" + p.password))
	return subtle.ConstantTimeCompare([]byte(code), []byte(want)) == 1
}

// refuse answers why a host was not reached.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	if errors.Is(err, ErrRefused) {
		status = http.StatusForbidden
	}
	http.Error(w, err.Error(), status)
}

func (p *Proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	there, err := p.dial(r.Context(), r.Host)
	if err != nil {
		refuse(w, err)
		return
	}
	defer there.Close()
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		refuse(w, err)
		return
	}
	defer here.Close()
	if _, err := io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	stop := context.AfterFunc(r.Context(), func() { here.Close(); there.Close() })
	defer stop()
	var both errgroup.Group
	both.Go(func() error { return pipe(there, buffered) })
	both.Go(func() error { return pipe(here, there) })
	_ = both.Wait() // either end may hang up as it likes
}

// dial connects to a host, or has the proxy of the environment do it.
func (p *Proxy) dial(ctx context.Context, address string) (net.Conn, error) {
	upstream, err := p.guard.upstream(ctx, &url.URL{Scheme: "https", Host: address})
	if upstream == nil || err != nil {
		if err == nil {
			return p.guard.Dial(ctx, "tcp", address)
		}
		return nil, err
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", net.JoinHostPort(upstream.Hostname(), portOf(upstream)))
	if err != nil {
		return nil, err
	}
	if err := connect(conn, address, upstream.User); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// connect asks another proxy for an address. It reads its answer byte by byte, to leave
// what follows.
func connect(conn net.Conn, address string, login *url.Userinfo) error {
	ask := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if login != nil {
		password, _ := login.Password()
		ask += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(login.Username()+":"+password)) + "\r\n"
	}
	if err := conn.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, ask+"\r\n"); err != nil {
		return err
	}
	var answer strings.Builder
	for one := make([]byte, 1); !strings.HasSuffix(answer.String(), "\r\n\r\n"); {
		if _, err := conn.Read(one); err != nil || answer.Len() > 8<<10 {
			return errors.Join(errors.New("the proxy of the environment answers strangely"), err)
		}
		answer.Write(one)
	}
	status, _, _ := strings.Cut(answer.String(), "\r\n")
	if _, code, _ := strings.Cut(status, " "); !strings.HasPrefix(code, "200") {
		return fmt.Errorf("the proxy of the environment answers %q", status)
	}
	return conn.SetDeadline(time.Time{})
}

// pipe copies until one side ends, and tells the other one.
func pipe(to net.Conn, from io.Reader) error {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		return half.CloseWrite()
	}
	return errors.Join(err, to.Close())
}

// forward sends a request on, and follows nothing: the program does that, through here.
func (p *Proxy) forward(w http.ResponseWriter, r *http.Request) {
	out := r.Clone(r.Context())
	out.RequestURI = ""
	res, err := p.plain.RoundTrip(out)
	if err != nil {
		refuse(w, err)
		return
	}
	defer res.Body.Close()
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body) // whoever reads it sees when it breaks off
}
