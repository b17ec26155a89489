package image

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Result is an image that the registry has, whole.
type Result struct {
	// Ref is repository@digest.
	Ref string
	// Digest of the manifest, "sha256:…".
	Digest string
	// Size of everything the image consists of, compressed, in bytes.
	Size int64
	// Base is repository@digest of the base image used; "" without a base.
	Base string
	// Layer is the digest of the layer made here, LayerSize its compressed size
	// in bytes.
	Layer     string
	LayerSize int64
	// Unchanged is true when the registry had the image already, and nothing
	// was uploaded.
	Unchanged bool
	Timings   Timings
}

// Timings are wall-clock times; Base and Layer overlap.
type Timings struct {
	Base, Layer, Push time.Duration
}

// Build assembles what s says and pushes it. A spec or directory
// that can never work is Invalid, a directory written to meanwhile Conflict,
// refused credentials Denied, a missing base NotFound, and a registry that does
// not answer Unavailable.
func (c *Client) Build(ctx context.Context, s Spec) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := s.validate(); err != nil {
		return Result{}, err
	}
	platform, err := s.platform()
	if err != nil {
		return Result{}, err
	}
	dest, err := parseDestination(s.Dest)
	if err != nil {
		return Result{}, err
	}
	t, err := scanTree(s.Dir, s.into())
	if err != nil {
		return Result{}, err
	}
	defer t.Close()
	conn, err := c.session(ctx, platform)
	if err != nil {
		return Result{}, err
	}
	return c.build(ctx, conn, s, t, dest)
}

func (c *Client) build(ctx context.Context, conn session, s Spec, t *tree, dest destination) (Result, error) {
	var (
		from    *base
		with    *base // nil without
		added   *layer
		timings Timings
	)
	// Not errgroup.WithContext: base layers and the added one are read lazily,
	// after Wait, with the context they were made with.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var g errgroup.Group
	g.Go(func() (err error) {
		defer since(time.Now(), &timings.Base)
		if from, err = conn.base(ctx, s.Base); err == nil && s.With != "" {
			with, err = conn.base(ctx, s.With)
		}
		if err != nil {
			cancel()
		}
		return err
	})
	g.Go(func() (err error) {
		defer since(time.Now(), &timings.Layer)
		if added, err = c.treeLayer(ctx, t); err != nil {
			cancel()
		}
		return err
	})
	err := g.Wait()
	if added != nil {
		defer added.Close()
	}
	if err != nil {
		return Result{}, err
	}
	if with != nil {
		from = from.under(with)
	}
	img := s.assemble(from, added.id)
	start := time.Now()
	unchanged, err := conn.push(ctx, dest, img, append(from.layers, added))
	if err != nil {
		return Result{}, err
	}
	timings.Push = time.Since(start)
	r := img.result(dest, added.id)
	r.Base, r.Unchanged, r.Timings = from.ref.String(), unchanged, timings
	return r, nil
}

func since(start time.Time, d *time.Duration) { *d = time.Since(start) }

// base is a base image as far as a build needs it: its layers are there to be
// mounted or copied, not read.
type base struct {
	ref      name.Digest
	named    string // as the spec names it
	manifest *v1.Manifest
	config   *v1.ConfigFile
	layers   []v1.Layer
	// bare says that it is a package: it has no configuration.
	bare bool
}

func (s session) base(ctx context.Context, named string) (*base, error) {
	ref, err := parseRef("base", named)
	if err != nil {
		return nil, err
	}
	b, err := s.readBase(ctx, ref)
	if err != nil {
		return nil, registryError("read base image", toPull, ref, err)
	}
	if c := b.config; c.OS != "" && (c.OS != s.platform.OS || c.Architecture != s.platform.Architecture) {
		return nil, delivery.E(delivery.Invalid, fmt.Sprintf("base image %s is for %s/%s, not %s; choose a base or a platform that fits", named, c.OS, c.Architecture, s.platform))
	}
	if b.bare {
		return nil, delivery.E(delivery.Invalid, named+" is a package and no image; choose another base")
	}
	b.named = named
	return b, nil
}

// under is the base with the layers of another image over its own.
func (b *base) under(with *base) *base {
	both := *b
	both.manifest, both.config = b.manifest.DeepCopy(), b.config.DeepCopy()
	for _, d := range with.manifest.Layers {
		both.manifest.Layers = append(both.manifest.Layers, d)
		both.config.History = append(both.config.History, v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "COPY --from=" + with.named + " / /"})
	}
	both.config.RootFS.DiffIDs = append(both.config.RootFS.DiffIDs, with.config.RootFS.DiffIDs...)
	both.layers = slices.Concat(b.layers, with.layers)
	return &both
}

func (s session) readBase(ctx context.Context, ref name.Reference) (*base, error) {
	desc, err := s.Get(ctx, ref)
	if err != nil {
		return nil, err
	}
	img, err := desc.Image()
	if err != nil {
		return nil, err
	}
	digest, err := img.Digest()
	if err != nil {
		return nil, err
	}
	b := &base{ref: ref.Context().Digest(digest.String())}
	if b.manifest, err = img.Manifest(); err != nil {
		return nil, err
	}
	if b.config, err = img.ConfigFile(); err != nil {
		return nil, err
	}
	if b.layers, err = img.Layers(); err != nil {
		return nil, err
	}
	if b.bare = isPackage(desc.Manifest); !b.bare && len(b.config.RootFS.DiffIDs) != len(b.layers) {
		return nil, errors.New("its manifest and configuration name different numbers of layers")
	}
	return b, nil
}

// push makes sure that the registry has img, whole, under its digest and under
// the tag of dest, if any. It returns true if that was so already.
func (s session) push(ctx context.Context, dest destination, img assembled, blobs []v1.Layer) (unchanged bool, err error) {
	byDigest := dest.repo.Digest(img.digest.String())
	known, err := s.exists(ctx, byDigest, img.digest)
	if err != nil {
		return false, err
	}
	if !known {
		if err := s.upload(ctx, dest.repo, append(blobs, static.NewLayer(img.config, types.OCIConfigJSON))); err != nil {
			return false, err
		}
	}
	if dest.tag == "" {
		if known {
			return true, nil
		}
		return false, s.put(ctx, byDigest, img)
	}
	tag := dest.repo.Tag(dest.tag)
	if known {
		if at, err := s.exists(ctx, tag, img.digest); err != nil || at {
			return at, err
		}
	}
	return false, s.put(ctx, tag, img)
}

func (s session) put(ctx context.Context, ref name.Reference, img assembled) error {
	if err := s.Put(ctx, ref, img); err != nil {
		return registryError("push", toPush, ref, err)
	}
	return nil
}

// destination is where to push: always a repository, sometimes a tag too.
type destination struct {
	repo name.Repository
	tag  string
}

func parseDestination(s string) (destination, error) {
	named, tag := s, ""
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, '/') {
		named, tag = s[:i], s[i+1:]
	}
	repo, err := name.NewRepository(named)
	if err == nil && named != s {
		_, err = name.NewTag(s)
	}
	if err != nil {
		return destination{}, delivery.Wrap(delivery.Invalid, fmt.Sprintf("destination %q is not a repository; write host/name or host/name:tag", s), err)
	}
	return destination{repo, tag}, nil
}
