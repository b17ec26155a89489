// Package dns answers for the cluster's Services, and asks the machine's own
// resolver for the rest.
package dns

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

// largest is the size of the largest message over UDP that is taken.
const largest = 4096

// Serve answers until ctx ends.
func Serve(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	z := zone{
		services:  factory.Core().V1().Services().Lister(),
		endpoints: factory.Discovery().V1().EndpointSlices().Lister(),
	}
	synced := []cache.InformerSynced{
		factory.Core().V1().Services().Informer().HasSynced,
		factory.Discovery().V1().EndpointSlices().Informer().HasSynced,
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return nil
	}
	socket, err := net.ListenPacket("udp", net.JoinHostPort(layout.NodeAddress, "53"))
	if err != nil {
		return err
	}
	s := server{zone: z, socket: socket, upstream: upstream()}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		<-ctx.Done()
		return socket.Close()
	})
	g.Go(s.serve)
	return g.Wait()
}

// upstream is the machine's first name server; "" when it has none.
func upstream() string {
	f, err := os.Open("/etc/resolv.conf")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) == 2 && words[0] == "nameserver" {
			return net.JoinHostPort(words[1], "53")
		}
	}
	return ""
}

type server struct {
	zone     zone
	socket   net.PacketConn
	upstream string
}

func (s *server) serve() error {
	var forwards errgroup.Group
	forwards.SetLimit(100)
	defer forwards.Wait()
	buf := make([]byte, largest)
	for {
		n, from, err := s.socket.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		var m dnsmessage.Message
		if err := m.Unpack(buf[:n]); err != nil || len(m.Questions) != 1 {
			continue
		}
		if ours(m.Questions[0].Name.String()) {
			if answer, err := s.answer(m).Pack(); err == nil {
				_, _ = s.socket.WriteTo(answer, from)
			}
			continue
		}
		question := append([]byte(nil), buf[:n]...)
		forwards.TryGo(func() error {
			if answer := s.forward(question); answer != nil {
				_, _ = s.socket.WriteTo(answer, from)
			}
			return nil
		})
	}
}

func (s *server) answer(m dnsmessage.Message) *dnsmessage.Message {
	question := m.Questions[0]
	addresses, found := s.zone.lookup(question.Name.String())
	r := &dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: m.ID, Response: true, Authoritative: true,
			RecursionDesired: m.RecursionDesired, RecursionAvailable: true,
		},
		Questions: m.Questions,
	}
	if !found {
		r.RCode = dnsmessage.RCodeNameError
	}
	if question.Type != dnsmessage.TypeA {
		return r
	}
	for _, a := range addresses {
		r.Answers = append(r.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 1},
			Body:   &dnsmessage.AResource{A: a.As4()},
		})
	}
	return r
}

// forward returns what the machine's name server answers, or nil.
func (s *server) forward(question []byte) []byte {
	if s.upstream == "" {
		return nil
	}
	c, err := net.DialTimeout("udp", s.upstream, time.Second)
	if err != nil {
		return nil
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Write(question); err != nil {
		return nil
	}
	answer := make([]byte, largest)
	n, err := c.Read(answer)
	if err != nil {
		return nil
	}
	return answer[:n]
}
