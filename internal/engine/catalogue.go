package engine

import (
	"context"
	"sync"

	"github.com/shiplock/shiplock/internal/catalog"
)

// catalogue keeps the decoded catalog until a document changes.
type catalogue struct {
	docs Documents
	mu   sync.Mutex
	set  *catalog.Set
}

// current returns the catalog as it is now.
func (c *catalogue) current(ctx context.Context) (*catalog.Set, error) {
	version, err := c.docs.CatalogVersion(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set != nil && c.set.Version == version {
		return c.set, nil
	}
	docs, err := c.docs.Documents(ctx)
	if err != nil {
		return nil, err
	}
	set, err := catalog.NewSet(version, docs)
	if err != nil {
		return nil, err
	}
	c.set = set
	return set, nil
}
