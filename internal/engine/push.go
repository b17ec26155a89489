package engine

import (
	"context"
	"errors"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// Pushes opens an external registry for the push of one attempt.
type Pushes interface {
	// Open returns what opens one repository for a push, and those of the images that
	// it is made of for reading, if they are in the same registry; it opens no other
	// repository. Denied when there is no such login.
	Open(ctx context.Context, repository string, of []string) (api.PushLogin, error)
}

// OpenPush gives the runner that holds token what opens its own app's repository, while
// its job runs.
func (e *Engine) OpenPush(ctx context.Context, key, token string) (api.PushLogin, error) {
	run, err := e.running(ctx, key, token)
	if err != nil {
		return api.PushLogin{}, err
	}
	switch img := run.Plan.Image; {
	case img == nil:
		return api.PushLogin{}, delivery.E(delivery.Denied, "this job pushes no image")
	case e.cfg.Pushes != nil:
		return e.cfg.Pushes.Open(ctx, img.Repository, e.partsOf(*img))
	}
	return api.PushLogin{Username: key, Password: token}, nil
}

// partsOf are the images that one is made of.
func (e *Engine) partsOf(p delivery.ImagePlan) (parts []string) {
	for _, ref := range []string{p.Base, p.With} {
		if ref != "" {
			parts = append(parts, e.cfg.inRegistry(ref))
		}
	}
	return parts
}

// refusedCause says why the registry does not let the server accept an image.
func refusedCause(err error) *delivery.Cause {
	var known *delivery.Error
	if !errors.As(err, &known) || known.Msg == "" {
		known = &delivery.Error{Msg: err.Error()}
	}
	c := delivery.Because("image.failed", delivery.Args{"error": known.Msg})
	if known.Err != nil {
		c.Evidence = []string{known.Err.Error()}
	}
	return &c
}

// CheckPush answers whether the runner that holds token may push to repository: its
// own app's, and only while its job runs.
func (e *Engine) CheckPush(ctx context.Context, key, token, repository string) error {
	run, err := e.running(ctx, key, token)
	if err != nil {
		return err
	}
	if run.Plan.Image == nil || run.Plan.Image.Repository != repository {
		return delivery.E(delivery.Denied, "this job may not push to "+repository)
	}
	return nil
}

// CheckPull answers whether the runner that holds token may read images: while its
// job runs.
func (e *Engine) CheckPull(ctx context.Context, key, token string) error {
	_, err := e.running(ctx, key, token)
	return err
}
