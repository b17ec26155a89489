package main

import (
	"context"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/shiplock/shiplock/test/cluster/dns"
	"github.com/shiplock/shiplock/test/cluster/layout"
	"github.com/shiplock/shiplock/test/cluster/policy"
	"github.com/shiplock/shiplock/test/cluster/storage"
)

// runAddons runs what a cluster has beside Kubernetes itself: names, volumes and
// network policies.
func runAddons(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", layout.AdminConfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 200, 400
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return dns.Serve(ctx, client) })
	g.Go(func() error { return storage.Provision(ctx, client) })
	g.Go(func() error { return policy.Enforce(ctx, client) })
	return g.Wait()
}
