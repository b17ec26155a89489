package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/shiplock/shiplock/internal/delivery"
)

// ErrKept says that a registry never removes anything when asked to.
var ErrKept = errors.New("the registry removes no images")

// Remove removes the image at ref (host/repository@digest) with all its tags; what it
// consists of is the registry's own to collect. NotFound when it is gone already.
func (c *Client) Remove(ctx context.Context, ref string) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	digest, err := name.NewDigest(ref)
	if err != nil {
		return delivery.Wrap(delivery.Invalid, fmt.Sprintf("%q does not name an image by its digest", ref), err)
	}
	platform, err := Spec{}.platform()
	if err != nil {
		return err
	}
	conn, err := c.session(ctx, platform)
	if err != nil {
		return err
	}
	switch err = conn.Delete(ctx, digest); {
	case err == nil:
		return nil
	case status(err) == http.StatusMethodNotAllowed:
		return fmt.Errorf("remove %s: %w", ref, ErrKept)
	}
	return registryError("remove", toDelete, digest, err)
}
