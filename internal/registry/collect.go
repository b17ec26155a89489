package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Rules are what a collection goes by.
type Rules struct {
	// Named tells whether something outside the registry needs a manifest.
	Named func(ctx context.Context, repo, digest string) (bool, error)
	// Own is the prefix of repositories whose manifests always stay.
	Own string
	// Grace is how long what nothing names stays after its last use: pushes and
	// reads count. It is longer than anybody takes from a push to its name.
	Grace time.Duration
	// Settle is the time between the two looks that a manifest must fail.
	Settle time.Duration
	Now    func() time.Time
}

// Collected counts what a collection removed.
type Collected struct {
	Manifests, Blobs int
	Bytes            int64
}

// atOnce bounds what is removed while everybody else waits.
const atOnce = 32

// Collect removes manifests that nothing names, what only they consist of, and
// content that is in no repository. It runs beside all other requests: what one of
// them was told to be there stays for the grace at least. It may be killed at any
// point: names go before what they name. One collection runs at a time.
func (g *Registry) Collect(ctx context.Context, r Rules) (done Collected, err error) {
	c := &collection{Rules: r, g: g, before: r.Now().Add(-r.Grace)}
	err = g.eachRepo("", func(repo string) error { return c.repo(ctx, repo) })
	if err == nil {
		err = c.contents(ctx)
	}
	return c.done, err
}

type collection struct {
	Rules
	g      *Registry
	before time.Time
	done   Collected
}

// repo removes what one repository need not hold.
func (c *collection) repo(ctx context.Context, repo string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	docs, err := c.g.documents(repo)
	if err != nil {
		return err
	}
	kept, err := c.kept(ctx, repo, docs)
	if err != nil {
		return err
	}
	var surplus []string
	for digest := range docs {
		if !kept[digest] && c.condemn(repo, digest) {
			surplus = append(surplus, digest)
		}
	}
	slices.Sort(surplus)
	if err := c.manifests(ctx, repo, surplus, docs); err != nil {
		return err
	}
	return c.links(ctx, repo, docs)
}

// documents reads all manifests of a repository, by digest.
func (g *Registry) documents(repo string) (map[string]document, error) {
	entries, err := g.store.List(manifestsDir(repo))
	if err != nil {
		return nil, err
	}
	docs := make(map[string]document, len(entries))
	for _, e := range entries {
		digest := digestPrefix + e.Name()
		_, content, err := g.manifest(repo, digest)
		if errors.Is(err, errManifestUnknown) {
			continue // deleted meanwhile
		}
		var doc document
		if err == nil {
			err = json.Unmarshal(content, &doc)
		}
		if err != nil {
			return nil, fmt.Errorf("read manifest %s of %s: %w", digest, repo, err)
		}
		docs[digest] = doc
	}
	return docs, nil
}

// kept are the manifests that are named or young, what an index among them lists,
// and what is attached to one.
func (c *collection) kept(ctx context.Context, repo string, docs map[string]document) (map[string]bool, error) {
	kept := make(map[string]bool, len(docs))
	for digest := range docs {
		root := c.Own != "" && strings.HasPrefix(repo+"/", c.Own)
		if !root {
			info, err := c.g.store.Stat(manifestKey(repo, digest))
			root = err != nil || !info.ModTime().Before(c.before)
		}
		var err error
		if !root {
			root, err = c.Named(ctx, repo, digest)
		}
		if err != nil {
			return nil, err
		}
		kept[digest] = root
	}
	for grew := true; grew; {
		grew = false
		for digest, doc := range docs {
			if kept[digest] {
				for _, d := range doc.Manifests {
					grew = grew || !kept[d.Digest]
					kept[d.Digest] = true
				}
			} else if doc.Subject != nil && kept[doc.Subject.Digest] {
				kept[digest], grew = true, true
			}
		}
	}
	for digest := range kept {
		if kept[digest] {
			delete(c.g.condemned, repo+"@"+digest)
		}
	}
	return kept, nil
}

// condemn tells whether a manifest was found surplus long enough ago: whoever had
// seen its name by then has written down that he needs it, or never will.
func (c *collection) condemn(repo, digest string) bool {
	key := repo + "@" + digest
	since, known := c.g.condemned[key]
	if !known {
		since = c.Now()
		c.g.condemned[key] = since
	}
	return c.Now().Sub(since) >= c.Settle
}

// manifests removes surplus ones, and takes them out of docs.
func (c *collection) manifests(ctx context.Context, repo string, surplus []string, docs map[string]document) error {
	for batch := range slices.Chunk(surplus, atOnce) {
		err := c.alone(ctx, func() error {
			for _, digest := range batch {
				if young, err := c.young(manifestKey(repo, digest)); young || err != nil {
					if err != nil {
						return err
					}
					continue
				}
				if err := c.g.removeManifest(repo, digest); err != nil && !errors.Is(err, errManifestUnknown) {
					return err
				}
				delete(docs, digest)
				delete(c.g.condemned, repo+"@"+digest)
				c.done.Manifests++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// links takes blobs from a repository that none of its manifests consists of.
func (c *collection) links(ctx context.Context, repo string, docs map[string]document) error {
	used := map[string]bool{}
	for _, doc := range docs {
		for _, d := range doc.Layers {
			used[hexOf(d.Digest)] = true
		}
		if doc.Config != nil {
			used[hexOf(doc.Config.Digest)] = true
		}
	}
	entries, err := c.g.store.List("repos/" + repo + "/_blobs")
	if err != nil {
		return err
	}
	return c.remove(ctx, entries, func(name string) (string, bool) {
		return linkKey(repo, name), !used[name]
	})
}

// contents removes what is in no repository.
func (c *collection) contents(ctx context.Context) error {
	held := map[string]bool{}
	err := c.g.eachRepo("", func(repo string) error {
		for _, dir := range []string{"repos/" + repo + "/_blobs", manifestsDir(repo)} {
			entries, err := c.g.store.List(dir)
			if err != nil {
				return err
			}
			for _, e := range entries {
				held[e.Name()] = true
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	shards, err := c.g.store.List("blobs/sha256")
	for _, shard := range shards {
		var entries []fs.DirEntry
		if err == nil {
			entries, err = c.g.store.List("blobs/sha256/" + shard.Name())
		}
		if err == nil {
			err = c.remove(ctx, entries, func(name string) (string, bool) {
				return "blobs/sha256/" + shard.Name() + "/" + name, !held[name]
			})
		}
	}
	return err
}

// remove deletes those entries that choose wants gone and that are not in use.
func (c *collection) remove(ctx context.Context, entries []fs.DirEntry, choose func(name string) (key string, gone bool)) error {
	var surplus []string
	for _, e := range entries {
		info, err := e.Info()
		if key, gone := choose(e.Name()); gone && err == nil && info.ModTime().Before(c.before) {
			surplus = append(surplus, key)
		}
	}
	for batch := range slices.Chunk(surplus, atOnce) {
		err := c.alone(ctx, func() error {
			for _, key := range batch {
				if err := c.unlessYoung(key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// unlessYoung deletes a key; c is alone.
func (c *collection) unlessYoung(key string) error {
	info, err := c.g.store.Stat(key)
	switch {
	case delivery.KindOf(err) == delivery.NotFound:
		return nil
	case err != nil:
		return err
	case !info.ModTime().Before(c.before):
		return nil
	}
	if err := c.g.store.Delete(key); err != nil {
		return err
	}
	if strings.HasPrefix(key, "blobs/") {
		c.done.Blobs++
		c.done.Bytes += info.Size()
	}
	return nil
}

func (c *collection) young(key string) (bool, error) {
	info, err := c.g.store.Stat(key)
	if delivery.KindOf(err) == delivery.NotFound {
		return true, nil // somebody else removed it
	}
	return err == nil && !info.ModTime().Before(c.before), err
}

// alone runs do while nobody relies on what is there, and then lets others go first.
func (c *collection) alone(ctx context.Context, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.g.gate.alone(do)
}

// useEvery is how exact the time of the last use is; the grace is far longer.
const useEvery = time.Second

// use tells whether a key is there, and notes that somebody was told so.
func (g *Registry) use(key string) (bool, error) {
	info, err := g.store.Stat(key)
	if delivery.KindOf(err) == delivery.NotFound {
		return false, nil
	}
	if now := time.Now(); err == nil && now.Sub(info.ModTime()) > useEvery {
		err = g.store.Touch(key, now)
	}
	return err == nil, err
}
