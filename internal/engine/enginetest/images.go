package enginetest

import (
	"context"
	"maps"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Images is a registry with the manifests that a test pushed. The zero value is
// empty. Calls: accept, with the repository and the digest.
type Images struct {
	Script
	// Any has every manifest be there.
	Any    bool
	pushed map[string]bool
	tags   map[string]delivery.Digest
}

// Push puts a manifest into a repository.
func (i *Images) Push(repository string, digest delivery.Digest) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.pushed == nil {
		i.pushed = map[string]bool{}
	}
	i.pushed[repository+"@"+string(digest)] = true
}

// Accept implements engine.Images.
func (i *Images) Accept(_ context.Context, repository string, digest delivery.Digest, tag string) (size int64, err error) {
	name := repository + "@" + string(digest)
	err = i.do("accept "+name, func() error {
		if !i.Any && !i.pushed[name] {
			return delivery.E(delivery.NotFound, "there is no "+name)
		}
		if i.tags == nil {
			i.tags = map[string]delivery.Digest{}
		}
		i.tags[repository+":"+tag] = digest
		return nil
	})
	return 1000, err
}

// Tags lists the tags that were written: "repository:tag" → digest.
func (i *Images) Tags() map[string]delivery.Digest {
	i.mu.Lock()
	defer i.mu.Unlock()
	return maps.Clone(i.tags)
}
