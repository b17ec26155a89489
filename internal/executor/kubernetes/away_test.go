package kubernetes

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/kube"
)

// nowhere is a cluster whose API server does not answer.
func nowhere(t *testing.T) *kube.Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "a",
		"clusters": [{"name": "a", "cluster": {"server": "http://%s"}}],
		"contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}], "users": [{"name": "a", "user": {}}]}`, l.Addr())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := kube.Connect(kube.Config{Kubeconfig: path})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// With the cluster away, what is to start waits and says why, and what is to end is no
// trouble.
func TestClusterThatIsAway(t *testing.T) {
	cluster := nowhere(t)
	e, err := New(Config{Cluster: cluster, Namespace: "builds", Image: "image"})
	if err != nil {
		t.Fatal(err)
	}
	const key = "shop-1-build-1"
	s, err := e.Start(t.Context(), delivery.AttemptSpec{Key: key})
	if err != nil || s.Phase != delivery.AttemptPending || s.Cause == nil || s.Cause.Code != delivery.AttemptUnseen {
		t.Fatalf("before anything is known of the cluster: %+v, %v", s, err)
	}
	troubled := make(chan struct{})
	var once sync.Once
	e.pods.OnTrouble = func(error) { once.Do(func() { close(troubled) }) }
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { e.pods.Run(ctx) })
	<-troubled
	s, err = e.Start(t.Context(), delivery.AttemptSpec{Key: key})
	if err != nil || s.Phase != delivery.AttemptPending || s.Cause == nil || s.Cause.Code != delivery.AttemptAway ||
		!strings.Contains(s.Cause.Text, cluster.Host) || !strings.Contains(s.Cause.Text, "connection refused") {
		t.Errorf("once it did not answer: %+v, %v", s, err)
	}
	if room, err := e.Room(t.Context()); err != nil || room.Away == nil || room.Away.Code != delivery.AttemptAway {
		t.Errorf("its room: %+v, %v", room, err)
	}
	if err := e.Stop(t.Context(), key); err != nil {
		t.Errorf("stop: %v", err)
	}
	if len(e.waits) != 0 {
		t.Errorf("still waits: %v", e.waits)
	}
	stop()
	running.Wait()
}
