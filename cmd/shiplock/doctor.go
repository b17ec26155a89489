package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/cache"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/checkup"
	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/internal/kube"
	"github.com/shiplock/shiplock/internal/manifest"
)

// examiner looks at the parts of a serving installation.
type examiner struct {
	*instance
	// registryAddress is where runs push to.
	registryAddress string
}

// patience is for each part: what does not answer by then is said not to.
const patience = 15 * time.Second

// Examine implements server.Examiner. The parts are looked at side by side.
func (x examiner) Examine(ctx context.Context, set *catalog.Set) checkup.Facts {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f := checkup.Facts{InPod: os.Getenv("KUBERNETES_SERVICE_HOST") != "", Clusters: clustersOf(set)}
	var wg sync.WaitGroup
	wg.Go(func() { f.Database = x.database(ctx) })
	wg.Go(func() { f.Disk = x.disk() })
	wg.Go(func() { f.Registry = x.registry(ctx) })
	if x.pods != nil {
		wg.Go(func() { f.Builds = x.builds(ctx) })
	}
	for i := range f.Clusters {
		wg.Go(func() { x.look(ctx, &f.Clusters[i], set.Clusters[f.Clusters[i].Name]) })
	}
	wg.Wait()
	return f
}

// database writes something small, since reads alone work on a full disk too.
func (x examiner) database(ctx context.Context) checkup.Database {
	d := checkup.Database{Kind: "SQLite"}
	if x.opts.database != "" {
		d.Kind = "PostgreSQL"
	}
	began := time.Now()
	_, d.Err = x.store.SetMetaOnce(ctx, "doctor", "was here")
	d.Took = time.Since(began)
	return d
}

func (x examiner) disk() checkup.Disk {
	d := checkup.Disk{Path: x.opts.data, Total: cache.DiskSize(x.opts.data)}
	d.Free, d.Err = cache.DiskFree(x.opts.data)
	return d
}

// registry pushes a small image, always the same, and reads it back.
func (x examiner) registry(ctx context.Context) checkup.Registry {
	r := checkup.Registry{Address: x.registryAddress}
	made, err := x.images.BuildScratch(ctx, image.Scratch{
		Dest: x.registryAddress + "/shiplock/doctor", Files: []image.File{{Path: "/doctor", Data: []byte("was here\n")}},
	})
	if err == nil {
		_, err = x.images.Tag(ctx, made.Ref, "latest")
	}
	r.Err = err
	return r
}

func (x examiner) builds(ctx context.Context) *checkup.Builds {
	client, namespace := x.pods.Cluster, x.pods.Namespace
	b := &checkup.Builds{Place: placeOf(ctx, client), Space: checkup.Space{Namespace: namespace}}
	if b.Err != nil {
		return b
	}
	b.Missing, b.RightsErr = missing(ctx, client, manifest.BuildSpace{Namespace: namespace}.Needs())
	now, err := x.pods.Try(ctx)
	if !errors.Is(err, kube.ErrQuota) { // which waits, and is said below
		b.Refused = err
	}
	timed(&b.Place, now)
	room, err := x.pods.Room(ctx)
	if err != nil {
		return b
	}
	for _, q := range room.Quotas {
		b.Quotas = append(b.Quotas, checkup.Quota{
			Name: q.Quota, Resource: q.Resource, Used: q.Used, Hard: q.Hard,
			Part: delivery.Quantity(q.Used).Part(delivery.Quantity(q.Hard)),
		})
	}
	return b
}

// clustersOf are those that an Environment is in, by name.
func clustersOf(set *catalog.Set) []checkup.Cluster {
	byRank := func(a, b delivery.Environment) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), strings.Compare(a.Name, b.Name))
	}
	byName := map[string]*checkup.Cluster{}
	environments := make([]delivery.Environment, 0, len(set.Environments))
	for _, e := range set.Environments {
		environments = append(environments, e)
	}
	slices.SortFunc(environments, byRank)
	for _, e := range environments {
		if _, there := set.Clusters[e.Cluster]; !there {
			continue
		}
		if byName[e.Cluster] == nil {
			byName[e.Cluster] = &checkup.Cluster{Name: e.Cluster}
		}
		byName[e.Cluster].Environments = append(byName[e.Cluster].Environments, checkup.Environment{Name: e.Name, Space: checkup.Space{Namespace: e.Namespace}})
	}
	all := make([]checkup.Cluster, 0, len(byName))
	for _, c := range byName {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b checkup.Cluster) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Reach implements server.Examiner.
func (x examiner) Reach(ctx context.Context, c delivery.Cluster) checkup.Place {
	client, err := x.connect(ctx, c)
	if err != nil {
		return checkup.Place{Err: err}
	}
	return placeOf(ctx, client)
}

func (x examiner) connect(ctx context.Context, c delivery.Cluster) (*kube.Client, error) {
	content, err := kubeconfig(ctx, x.vault, c)
	if err != nil {
		return nil, err
	}
	return connect(c, content)
}

// connect takes the content of a kubeconfig where the Cluster names no file.
func connect(c delivery.Cluster, content []byte) (*kube.Client, error) {
	return kube.Connect(kube.Config{Kubeconfig: c.Kubeconfig, Content: content, Context: c.Context, UserAgent: "shiplock/" + version})
}

// look looks at a cluster, and at the namespaces of its Environments.
func (x examiner) look(ctx context.Context, c *checkup.Cluster, is delivery.Cluster) {
	client, err := x.connect(ctx, is)
	if err != nil {
		c.Err = err
		return
	}
	if c.Place = placeOf(ctx, client); c.Err != nil {
		return
	}
	for i := range c.Environments {
		e := &c.Environments[i]
		var now time.Time
		now, e.Refused = client.TryNamespace(ctx, e.Namespace)
		timed(&c.Place, now)
		e.Missing, e.RightsErr = missing(ctx, client, manifest.Access{}.Needs(e.Namespace))
	}
}

func placeOf(ctx context.Context, client *kube.Client) checkup.Place {
	p := checkup.Place{Host: client.Host}
	if p.Version, p.Err = client.Version(ctx); p.Err == nil {
		p.Err = client.Ready(ctx)
	}
	return p
}

// timed notes the time of an API server, if it told one.
func timed(p *checkup.Place, now time.Time) {
	if !now.IsZero() {
		p.Skew, p.Timed = now.Sub(time.Now().Truncate(time.Second)), true
	}
}

// missing says in words which rights the cluster does not give us.
func missing(ctx context.Context, client *kube.Client, rights []manifest.Right) ([]string, error) {
	not, err := client.Missing(ctx, rights)
	words := make([]string, len(not))
	for i, r := range not {
		words[i] = r.String()
	}
	return words, err
}
