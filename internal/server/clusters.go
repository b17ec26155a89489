package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/diagnose/checkup"
)

const (
	// reachPatience is how long a list of clusters waits for those that do not answer, and
	// reachFresh how long it says what they said before: everybody may ask.
	reachPatience = 3 * time.Second
	reachFresh    = 5 * time.Second
)

// reached is what the clusters of one catalog have said of themselves.
type reached struct {
	mu      sync.Mutex // held while they are asked, once for all who wait
	catalog int64
	until   time.Time
	places  []checkup.Place // as in shownCatalog.clusters
}

func (s *Server) listClusters(ctx context.Context, _ *nothing) (api.Page[api.Cluster], error) {
	c, err := s.catalog.current(ctx)
	if err != nil {
		return api.Page[api.Cluster]{}, err
	}
	v, err := s.sight(ctx)
	if err != nil {
		return api.Page[api.Cluster]{}, err
	}
	list := slices.Clone(c.clusters)
	for i, p := range s.reach(ctx, c) {
		list[i].Version, list[i].Cause = p.Version, checkup.Away(p)
	}
	list = slices.DeleteFunc(list, func(cl api.Cluster) bool { return !v.all() && !slices.ContainsFunc(cl.Environments, v.env) })
	return api.Page[api.Cluster]{Items: orEmpty(list)}, nil
}

// reach asks all clusters side by side.
func (s *Server) reach(ctx context.Context, c *shownCatalog) []checkup.Place {
	r := &s.reached
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.catalog == c.version && s.cfg.Now().Before(r.until) {
		return r.places
	}
	// Others wait for the answers too: they do not end with the one who asked.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reachPatience)
	defer cancel()
	places := make([]checkup.Place, len(c.clusters))
	var wg sync.WaitGroup
	for i, cluster := range c.clusters {
		wg.Go(func() { places[i] = s.cfg.Examiner.Reach(ctx, cluster.Cluster) })
	}
	wg.Wait()
	r.catalog, r.until, r.places = c.version, s.cfg.Now().Add(reachFresh), places
	return places
}
