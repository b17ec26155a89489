package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// listenRetry is the pause before a taken port is tried again after a restart.
const listenRetry = time.Second

// front is the open port of a Target: the proxy's server and where it listens.
// It belongs to the Target's loop.
type front struct {
	proxy   *proxy
	ports   *ports
	cfg     Config
	port    int    // 0: none yet
	problem string // why the port is not open
	server  *http.Server
	again   <-chan time.Time
	wg      sync.WaitGroup
}

func newFront(r *router, p *ports, cfg Config) *front {
	return &front{proxy: newProxy(r, cfg.Log), ports: p, cfg: cfg}
}

// move opens the wished port, 0 meaning the present one or else a free one, and
// closes the one before. On an error nothing has changed.
func (f *front) move(port int) error {
	if port == 0 {
		port = f.port
	}
	if port != 0 && port == f.port {
		return nil
	}
	chosen := port == 0
	if chosen {
		free, err := f.ports.choose()
		if err != nil {
			return err
		}
		port = free
	}
	listener, err := net.Listen("tcp", loopback(port))
	if err != nil {
		if chosen {
			f.ports.release(port)
		}
		return delivery.Wrap(delivery.Unavailable, fmt.Sprintf("port %d cannot be opened: free it or choose another", port), err)
	}
	f.close()
	if f.port != 0 {
		f.ports.release(f.port)
	}
	f.serve(listener, port)
	return nil
}

// listen opens the port of an earlier supervisor, or has retry tell when to try again.
func (f *front) listen(port int) {
	f.port, f.again = port, nil
	listener, err := net.Listen("tcp", loopback(port))
	if err != nil {
		f.problem = fmt.Sprintf("port %d cannot be opened and is tried again: %v", port, err)
		f.again = time.After(listenRetry)
		return
	}
	f.serve(listener, port)
}

func (f *front) retry() <-chan time.Time { return f.again }

func (f *front) serve(listener net.Listener, port int) {
	f.ports.reserve(port)
	f.port, f.problem, f.again = port, "", nil
	server := newProxyServer(f.proxy, f.cfg.Log)
	f.server = server
	f.wg.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			f.cfg.Log.Error("proxy ended", "port", port, "err", err)
		}
	})
}

// close takes no new requests and gives those in flight a moment to end.
func (f *front) close() {
	if f.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleLimit)
	defer cancel()
	if f.server.Shutdown(ctx) != nil {
		_ = f.server.Close() // late ones are cut
	}
	f.server = nil
	f.wg.Wait()
	f.proxy.base.CloseIdleConnections()
}
