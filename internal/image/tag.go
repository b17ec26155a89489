package image

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Tag gives the image at ref (host/repository@digest) a tag, and returns the size
// of everything it consists of, compressed, in bytes. NotFound when the registry
// does not have the image.
func (c *Client) Tag(ctx context.Context, ref, tag string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	from, err := name.NewDigest(ref)
	if err != nil {
		return 0, delivery.Wrap(delivery.Invalid, fmt.Sprintf("%q does not name an image by its digest", ref), err)
	}
	platform, err := Spec{}.platform()
	if err != nil {
		return 0, err
	}
	conn, err := c.session(ctx, platform)
	if err != nil {
		return 0, err
	}
	found, err := conn.Get(ctx, from)
	if err != nil {
		return 0, registryError("look up", toPull, from, err)
	}
	img, err := found.Image()
	if err != nil {
		return 0, delivery.Wrap(delivery.Invalid, ref+" is not an image", err)
	}
	m, err := img.Manifest()
	if err != nil {
		return 0, delivery.Wrap(delivery.Invalid, ref+" is not an image", err)
	}
	size := found.Size + m.Config.Size
	for _, l := range m.Layers {
		size += l.Size
	}
	to := from.Context().Tag(tag)
	if err := conn.Push(ctx, to, found); err != nil {
		return 0, registryError("tag", toPush, to, err)
	}
	return size, nil
}
