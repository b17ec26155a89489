package main

import (
	"context"
	"net/url"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

// runEtcd runs an etcd of one member. It does not sync its files: they are thrown
// away with the cluster.
func runEtcd(ctx context.Context) error {
	client, err := url.Parse(layout.EtcdURL)
	if err != nil {
		return err
	}
	peer, err := url.Parse(layout.EtcdPeer)
	if err != nil {
		return err
	}
	c := embed.NewConfig()
	c.Name = "etcd"
	c.Dir = layout.Path("etcd")
	c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	c.UnsafeNoFsync = true
	c.LogLevel = "warn"
	c.WarningUnaryRequestDuration = 300 * time.Millisecond // zero, the default here, logs every request
	c.QuotaBackendBytes = 4 << 30
	c.AutoCompactionMode = embed.CompactorModePeriodic
	c.AutoCompactionRetention = "5m"
	e, err := embed.StartEtcd(c)
	if err != nil {
		return err
	}
	defer e.Close()
	select {
	case <-ctx.Done():
		return nil
	case err := <-e.Err():
		return err
	}
}
