// Package registry serves images to the cluster and to the machine, under any name.
package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"golang.org/x/sync/errgroup"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

// Serve serves images until ctx ends.
func Serve(ctx context.Context) error {
	blobs := layout.Path("registry", "blobs")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return err
	}
	images := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs)), registry.Logger(log.New(io.Discard, "", 0)))
	kept, err := keep(layout.Path("registry", "manifests"), images)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: plainNames(kept), ReadHeaderTimeout: 10 * time.Second}
	g, ctx := errgroup.WithContext(ctx)
	for _, host := range []string{"127.0.0.1", layout.NodeAddress} {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, layout.RegistryPort))
		if err != nil {
			return fmt.Errorf("the registry's port is taken: %w", err)
		}
		g.Go(func() error {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	g.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	return g.Wait()
}

// plainNames takes docker.io/library/busybox, as "busybox" is called in full, for
// busybox.
func plainNames(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.Replace(r.URL.Path, "/v2/library/", "/v2/", 1)
		next.ServeHTTP(w, r)
	})
}
