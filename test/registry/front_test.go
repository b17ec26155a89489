//go:build e2e

package registry

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// front stands before a registry, over TLS if that does, and may spoil chunks of
// layers on their way.
type front struct {
	Host string
	to   http.Handler
	// spoil may deal with the n-th chunk, from 1; false lets it through. Nil spoils
	// nothing.
	spoil func(w http.ResponseWriter, r *http.Request, n int) bool

	mu     sync.Mutex
	chunks int
	opened int // uploads
}

func newFront(t testing.TB, r target) *front {
	t.Helper()
	to := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "https", Host: r.host})
	to.ErrorLog = log.New(io.Discard, "", 0)
	f := &front{to: to}
	srv := httptest.NewUnstartedServer(f)
	srv.Config.ErrorLog = to.ErrorLog
	if r.ca == nil {
		to.Director = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: r.host}).Director
		srv.Start()
	} else {
		to.Transport = &http.Transport{TLSClientConfig: r.ca.config()}
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{r.ca.Leaf}}
		srv.StartTLS()
	}
	t.Cleanup(srv.Close)
	f.Host = srv.Listener.Addr().String()
	return f
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := 0
	f.mu.Lock()
	switch upload := strings.Contains(r.URL.Path, "/blobs/uploads"); {
	case upload && r.Method == http.MethodPost:
		f.opened++
	case upload && r.Method == http.MethodPatch && r.ContentLength > 100<<10: // a layer, no configuration
		f.chunks++
		n = f.chunks
	}
	f.mu.Unlock()
	if n > 0 && f.spoil != nil && f.spoil(w, r, n) {
		return
	}
	f.to.ServeHTTP(w, r)
}

// seen is what came so far.
func (f *front) seen() (chunks, opened int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.chunks, f.opened
}

// cut breaks the connection, on both sides, when part of a body has gone through.
func (f *front) cut(w http.ResponseWriter, r *http.Request, after int64) {
	r.Body = &breaking{r.Body, after}
	f.to.ServeHTTP(w, r)
	panic(http.ErrAbortHandler)
}

// breaking is a body that breaks off.
type breaking struct {
	io.ReadCloser
	left int64
}

func (b *breaking) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
