package harness

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"
)

// Front is a stable address before servers that come and go, as a Service is before
// pods. Connections go to the servers in turn, and past one that does not listen; they
// are closed while nobody serves.
type Front struct {
	listener net.Listener
	mu       sync.Mutex
	backends []string
	turn     int
	conns    map[net.Conn]string // to the backend's address
	shunned  []string
	closed   bool
	work     sync.WaitGroup
}

// NewFront listens on a free port of loopback until the test ends.
func NewFront(t testing.TB) *Front {
	t.Helper()
	return NewFrontOn(t, loopback)
}

const loopback = "127.0.0.1"

// NewFrontOn listens on a free port of one of the machine's addresses.
func NewFrontOn(t testing.TB, host string) *Front {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	f := &Front{listener: l, conns: map[net.Conn]string{}}
	f.work.Go(f.accept)
	t.Cleanup(f.close)
	return f
}

// URL is the front's address.
func (f *Front) URL() string { return "http://" + f.Addr() }

// Addr is host:port.
func (f *Front) Addr() string { return f.listener.Addr().String() }

// Host is the address without the port.
func (f *Front) Host() string {
	return hostOf(f.listener.Addr())
}

// To leads new connections to these addresses, and cuts those that led elsewhere.
func (f *Front) To(addrs ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.backends = addrs
	for c, addr := range f.conns {
		if !slices.Contains(addrs, addr) {
			c.Close()
		}
	}
}

// Shun closes the connections of clients at these addresses, and takes no more of
// them; those that were shunned before, and are not named again, are let in.
func (f *Front) Shun(clients ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shunned = clients
	for c := range f.conns {
		if slices.Contains(clients, hostOf(c.RemoteAddr())) {
			c.Close()
		}
	}
}

func hostOf(a net.Addr) string {
	host, _, _ := net.SplitHostPort(a.String())
	return host
}

// dial connects to the backend whose turn it is, or to the next one that listens.
func (f *Front) dial() (net.Conn, string) {
	f.mu.Lock()
	backends := slices.Clone(f.backends)
	f.turn++
	turn := f.turn
	f.mu.Unlock()
	for i := range backends {
		addr := backends[(turn+i)%len(backends)]
		if b, err := net.Dial("tcp", addr); err == nil {
			return b, addr
		}
	}
	return nil, ""
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
	b, addr := f.dial()
	if b == nil {
		return
	}
	defer b.Close()
	if !f.track(addr, c, b) {
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

// track notes a client's connection and the one that goes on from it, if they may be.
func (f *Front) track(addr string, conns ...net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || !slices.Contains(f.backends, addr) || slices.Contains(f.shunned, hostOf(conns[0].RemoteAddr())) {
		return false
	}
	for _, c := range conns {
		f.conns[c] = addr
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
	f.To()
	f.work.Wait()
}
