package supervisor

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Ports are chosen below the usual ephemeral range (32768 and up), so that no
// outgoing connection takes one between our test and the app's bind, or while the
// supervisor is being restarted.
const (
	firstPort = 20000
	lastPort  = 29999
)

// ports hands out loopback ports that nobody of ours uses.
type ports struct {
	mu    sync.Mutex
	taken map[int]bool
}

func newPorts() *ports { return &ports{taken: map[int]bool{}} }

// reserve marks a port that is known to be in use.
func (p *ports) reserve(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken[port] = true
}

func (p *ports) release(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, port)
}

// choose reserves a free port. Unavailable: there is none.
func (p *ports) choose() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	const span = lastPort - firstPort + 1
	start := rand.IntN(span)
	for i := range span {
		port := firstPort + (start+i)%span
		if p.taken[port] || !isFree(port) {
			continue
		}
		p.taken[port] = true
		return port, nil
	}
	return 0, delivery.E(delivery.Unavailable, "no free loopback port between 20000 and 29999")
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
