package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/shiplock/shiplock/internal/delivery"
)

// UnpackSpec is a part of an image to put into a directory.
type UnpackSpec struct {
	// Ref is repository@digest.
	Ref string
	// Under is the path in the image whose content is wanted; "" is
	// /home/services, and all of a package.
	Under string
	// Dir receives the content. It must not exist; its parent must.
	Dir string
	// Platform chooses from an index; "" is linux/amd64.
	Platform string
	// MaxBytes and MaxFiles bound what is written; 0 means 4 GiB and 500,000.
	MaxBytes int64
	MaxFiles int
}

// Unpack downloads what is needed of an image and gives Dir its content at
// once, or not at all. Nothing is ever written outside Dir's parent, whatever
// the image holds. An image that cannot be unpacked safely is Invalid. Owners
// and times are not kept; nothing is synced, so after a power failure Dir must
// be unpacked again.
func (c *Client) Unpack(ctx context.Context, s UnpackSpec) (err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	ref, err := name.NewDigest(s.Ref)
	if err != nil {
		return delivery.Wrap(delivery.Invalid, fmt.Sprintf("%q does not name an image by its digest", s.Ref), err)
	}
	layers, bare, err := c.layersOf(ctx, ref, s.Platform)
	if err != nil {
		return err
	}
	if s.Under = cmp.Or(s.Under, defaultInto); bare {
		s.Under = "/"
	}
	dir := filepath.Clean(s.Dir)
	partial, err := os.MkdirTemp(filepath.Dir(dir), ".unpack-*")
	if err != nil {
		return fmt.Errorf("unpack %s: %w", ref, err)
	}
	if err = c.unpackInto(ctx, partial, layers, s); err == nil {
		err = publish(partial, dir)
	}
	if err != nil {
		return errors.Join(registryError("unpack", toPull, ref, err), os.RemoveAll(partial))
	}
	return nil
}

func publish(partial, dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		return delivery.E(delivery.Conflict, dir+" is there already; remove it first")
	}
	return errors.Join(os.Chmod(partial, 0o755), os.Rename(partial, dir))
}

// imageLayer is a layer with what its manifest says of it.
type imageLayer struct {
	v1.Layer
	desc v1.Descriptor
}

func (c *Client) layersOf(ctx context.Context, ref name.Digest, platform string) (list []imageLayer, bare bool, err error) {
	p, err := Spec{Platform: platform}.platform()
	if err != nil {
		return nil, false, err
	}
	conn, err := c.session(ctx, p)
	if err != nil {
		return nil, false, err
	}
	b, err := conn.readBase(ctx, ref)
	if err != nil {
		return nil, false, registryError("read image", toPull, ref, err)
	}
	layers := make([]imageLayer, len(b.layers))
	for i, l := range b.layers {
		layers[i] = imageLayer{l, b.manifest.Layers[i]}
	}
	return layers, b.bare, nil
}

func (c *Client) unpackInto(ctx context.Context, dir string, layers []imageLayer, s UnpackSpec) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	x := &extractor{
		root:     root,
		under:    imagePath(s.Under),
		maxBytes: cmp.Or(s.MaxBytes, 4<<30),
		maxFiles: cmp.Or(s.MaxFiles, 500_000),
	}
	for _, l := range layers {
		if err := c.unpackLayer(ctx, x, l); err != nil {
			return err
		}
	}
	if x.files == 0 {
		return delivery.E(delivery.Invalid, "the image has nothing at /"+x.under+"; check what its build adds")
	}
	return x.checkLinks()
}

// unpackLayer applies one layer, unless its manifest or an earlier download
// says that it has nothing for us.
func (c *Client) unpackLayer(ctx context.Context, x *extractor, l imageLayer) error {
	subject := l.desc.Digest.String() + " " + x.under
	var nothing bool
	if !mayHold(l.desc.Annotations[layerPaths], x.under) || c.cache.get(skipFacts, subject, &nothing) && nothing {
		return nil
	}
	r, err := l.Uncompressed()
	if err != nil {
		return err
	}
	defer r.Close()
	matched, err := x.apply(ctx, r)
	if err != nil {
		return err
	}
	if !matched {
		c.cache.put(skipFacts, subject, true)
	}
	return nil
}

// mayHold tells whether a layer limited to the comma-separated paths can say
// anything about under.
func mayHold(paths, under string) bool {
	return paths == "" || slices.ContainsFunc(strings.Split(paths, ","), func(p string) bool {
		p = imagePath(p)
		return within(p, under) || within(under, p)
	})
}

// within tells whether p is dir or below it.
func within(p, dir string) bool {
	return dir == "." || p == dir || strings.HasPrefix(p, dir+"/")
}

// relative is p, which is within dir, as seen from dir.
func relative(p, dir string) string {
	if dir == "." {
		return path.Clean(p)
	}
	return cmp.Or(strings.TrimPrefix(strings.TrimPrefix(p, dir), "/"), ".")
}
