package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/shiplock/shiplock/internal/cache"
	"github.com/shiplock/shiplock/internal/delivery"
)

// Bounds of caches.
const (
	cachesStep   = "caches" // whose lines in the log are about them
	maxKeyFiles  = 2000
	maxKeySize   = 64 << 20 // bytes of a key's file
	publishLimit = 5 * time.Minute
	leastSaving  = 500 * time.Millisecond // less is noise
)

// caches are the folders of HOME that outlive the job. Whatever goes wrong with
// them costs time and never the job.
type caches struct {
	*job
	store *cache.Store
	used  []*usedCache
	steps []cache.ColdStep // those that succeeded
}

type usedCache struct {
	delivery.CacheUse
	want     delivery.Cache
	key      cache.Key
	restored *cache.Restored // nil when it started empty
}

// newCaches returns nil for a job that has no place for caches.
func newCaches(j *job) *caches {
	if j.Cache == "" || j.Assignment.Caches.Publish == "" {
		return nil
	}
	c := cache.Config{Dir: j.Cache, Others: j.CacheRead, Limit: j.CacheLimit, SnapshotLimit: j.Assignment.Caches.Limit, Now: j.Now}
	if j.CacheLimit > 0 && (c.SnapshotLimit == 0 || c.SnapshotLimit > j.CacheLimit/2) {
		c.SnapshotLimit = j.CacheLimit / 2
	}
	return &caches{job: j, store: cache.New(c)}
}

// sweep keeps the place of the caches within its limit, if that is this job's to do.
func (c *caches) sweep(ctx context.Context) {
	if !c.inUse() || c.CacheLimit == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, publishLimit)
	defer cancel()
	if _, err := c.store.Sweep(ctx); err != nil {
		c.Logger.Warn("caches not swept", "attempt", c.Attempt, "err", err)
	}
}

// facts is where the job's trust domain remembers what images were found to be.
func (j *job) facts() string {
	domain := j.Assignment.Caches.Publish
	if j.Cache == "" || domain == "" || !filepath.IsLocal(domain) {
		return ""
	}
	return filepath.Join(j.Cache, "image", domain)
}

// inUse tells whether the job has caches.
func (c *caches) inUse() bool { return c != nil && len(c.used) > 0 }

// restore fills the folders, once, when the sources are there.
func (c *caches) restore(ctx context.Context) {
	if c == nil || c.used != nil {
		return
	}
	for _, want := range c.Plan.Caches {
		u := &usedCache{want: want, CacheUse: delivery.CacheUse{Name: want.Name, Result: delivery.CacheMiss}}
		c.used = append(c.used, u)
		if err := c.restoreOne(ctx, u); err != nil {
			u.Result, u.Trouble = delivery.CacheMiss, c.text(err.Error())
		}
		c.say(cachesStep, u.Describe(c.Now()))
	}
}

func (c *caches) restoreOne(ctx context.Context, u *usedCache) (err error) {
	if !filepath.IsLocal(u.want.Path) {
		return delivery.E(delivery.Invalid, "its path leads out of HOME")
	}
	if u.key, err = c.keyOf(u.want.Keys); err != nil {
		return fmt.Errorf("read its keys: %w", err)
	}
	began := time.Now()
	from, err := c.store.Find(cache.Wanted{
		Domains: c.Assignment.Caches.Read, Stack: c.Plan.Stack, Name: u.Name, App: c.App, Key: u.key,
	})
	if from == nil {
		return err
	}
	u.restored, err = cache.Restore(ctx, from, cache.Folder{
		Dir: c.path(filepath.Join(homeDir, u.want.Path)), Scratch: c.path(filepath.Join("caches", u.Name)), Mount: c.Mounts,
	})
	if err != nil {
		from.Release()
		return err
	}
	u.Result, u.Took, u.How = delivery.CacheHit, delivery.Duration(max(time.Since(began).Round(time.Millisecond), time.Millisecond)), u.restored.How
	u.Run, u.At, u.Domain, u.Bytes = from.Run, from.At, from.Domain, from.Bytes
	if from.Key.Digest != u.key.Digest {
		u.Result, u.Changed = delivery.CacheStale, u.key.Changed(from.Key)
	}
	if no := u.restored.NoOverlay; no != nil {
		c.Logger.Warn("cache copied", "attempt", c.Attempt, "err", no)
	}
	return nil
}

// keyOf reads the files that decide whether a cache fits.
func (c *caches) keyOf(patterns []string) (cache.Key, error) {
	k := cache.Key{Files: map[string]string{}}
	dir, err := c.appDir()
	if err != nil {
		return k, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return k, err
	}
	defer func() { _ = root.Close() }() // it was only read
	for _, p := range patterns {
		s := search{root: root, looks: maxReportLooks, found: func(file string, info fs.FileInfo) error {
			if len(k.Files) >= maxKeyFiles || info.Size() > maxKeySize {
				return errors.New("they are too many or too large")
			}
			k.Files[file], err = digestOf(root, file)
			return err
		}}
		if err := s.walk(newGlob(p), nil); err != nil {
			return k, err
		}
	}
	k.Digest = string(delivery.HashJSON(k.Files))
	return k, nil
}

func digestOf(root *os.Root, file string) (string, error) {
	f, err := root.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, maxKeySize)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// note keeps how long a step took that succeeded.
func (c *caches) note(s delivery.PlanStep, took time.Duration) {
	if c != nil && s.Kind == delivery.StepRun {
		c.steps = append(c.steps, cache.ColdStep{Name: s.Name, Digest: stepDigest(s), Took: took})
	}
}

func stepDigest(s delivery.PlanStep) string {
	return string(delivery.HashJSON(struct {
		Run string
		Env map[string]string
	}{s.Run, s.Env}))
}

// publish keeps the folders for later builds, after all steps have succeeded.
func (c *caches) publish(ctx context.Context) {
	if c == nil || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, publishLimit)
	defer cancel()
	for _, u := range c.used {
		c.publishOne(ctx, u)
		if text := u.Outcome(); text != "" {
			c.say(cachesStep, text)
		}
	}
}

func (c *caches) publishOne(ctx context.Context, u *usedCache) {
	dir, err := inside(c.path(homeDir), u.want.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	domain := c.Assignment.Caches.Publish
	var made cache.Meta
	if err == nil {
		made, err = c.store.Publish(ctx, cache.Publication{
			Place: cache.Place{Domain: domain, Stack: c.Plan.Stack, Name: u.Name},
			App:   c.App, Run: c.Run, Key: u.key, Dir: dir, From: u.restored,
		})
	}
	switch {
	case err == nil:
		u.Published, u.PublishedTo = made.Bytes, domain
	case !errors.Is(err, cache.RefusedSame) && !errors.Is(err, cache.RefusedEmpty):
		u.NotPublished = c.text(err.Error())
	}
}

// close ends the leases.
func (c *caches) close() {
	if c == nil {
		return
	}
	for _, u := range c.used {
		if u.restored != nil {
			u.restored.From.Release()
		}
	}
}

// report is what the job had of its caches; nil when nothing is to be told.
func (c *caches) report() *delivery.Caches {
	if !c.inUse() {
		return nil
	}
	r := &delivery.Caches{}
	for _, u := range c.used {
		r.Uses = append(r.Uses, u.CacheUse)
	}
	return r
}

// compare says what the caches have saved a job that succeeded, or notes it as the
// one that later jobs are compared with: no cache helped it.
func (c *caches) compare(r *delivery.Caches) {
	if r == nil {
		return
	}
	a := c.Assignment.Caches
	cold := !slices.ContainsFunc(r.Uses, func(u delivery.CacheUse) bool { return u.Result != delivery.CacheMiss })
	if cold {
		err := c.store.PutCold(a.Publish, c.Plan.Stack, c.App, cache.Cold{Run: c.Run, At: c.Now().UTC(), Steps: c.steps})
		if err != nil {
			c.Logger.Warn("time of a build without caches not noted", "attempt", c.Attempt, "err", err)
		}
		return
	}
	before, known := c.store.Cold(a.Read, c.Plan.Stack, c.App)
	if !known {
		return
	}
	saved := saving(before.Steps, c.steps)
	for _, u := range r.Uses {
		saved -= u.Took.Std()
	}
	if saved < leastSaving {
		return
	}
	r.Saved, r.ColdRun = delivery.Duration(saved.Round(100*time.Millisecond)), before.Run
	c.say(cachesStep, strings.ToUpper(r.Saving()[:1])+r.Saving()[1:]+", which had none")
}

// saving is how much longer the same steps took before.
func saving(before, now []cache.ColdStep) (sum time.Duration) {
	for _, s := range now {
		for _, b := range before {
			if b.Name == s.Name && b.Digest == s.Digest {
				sum += b.Took - s.Took
			}
		}
	}
	return sum
}
