package harness

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Front is a stable address before a server that comes and goes, as a Service is
// before pods. Connections are refused by closing them while nobody serves.
type Front struct {
	listener net.Listener
	mu       sync.Mutex
	backend  string
	conns    map[net.Conn]struct{}
	closed   bool
	work     sync.WaitGroup
}

// NewFront listens on a free port of loopback until the test ends.
func NewFront(t testing.TB) *Front {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &Front{listener: l, conns: map[net.Conn]struct{}{}}
	f.work.Go(f.accept)
	t.Cleanup(f.close)
	return f
}

// URL is the front's address.
func (f *Front) URL() string { return "http://" + f.Addr() }

// Addr is host:port.
func (f *Front) Addr() string { return f.listener.Addr().String() }

// To leads new connections to addr, and cuts those that led elsewhere.
func (f *Front) To(addr string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.backend = addr
	for c := range f.conns {
		c.Close()
	}
}

func (f *Front) accept() {
	for {
		c, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.work.Go(func() { f.serve(c) })
	}
}

func (f *Front) serve(c net.Conn) {
	defer c.Close()
	f.mu.Lock()
	addr := f.backend
	f.mu.Unlock()
	if addr == "" {
		return
	}
	b, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer b.Close()
	if !f.track(c, b) {
		return
	}
	defer f.forget(c, b)
	var both sync.WaitGroup
	both.Go(func() { pipe(b, c) })
	both.Go(func() { pipe(c, b) })
	both.Wait()
}

// pipe copies until either end closes, and then closes both.
func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	to.Close()
	from.Close()
}

func (f *Front) track(conns ...net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	for _, c := range conns {
		f.conns[c] = struct{}{}
	}
	return true
}

func (f *Front) forget(conns ...net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range conns {
		delete(f.conns, c)
	}
}

func (f *Front) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.listener.Close()
	f.To("")
	f.work.Wait()
}
