package kube

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/shiplock/shiplock/internal/delivery"
)

// ErrQuota is in the chain of a Denied that only wants for room in the namespace.
var ErrQuota = errors.New("the namespace's quota is used up")

// classify says what an API server's answer means to the product.
func classify(err error) error {
	var status apierrors.APIStatus
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case !errors.As(err, &status):
		return delivery.Wrap(delivery.Unavailable, "the cluster's API server does not answer", err)
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota"):
		return delivery.Wrap(delivery.Denied, err.Error(), ErrQuota)
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return delivery.Wrap(delivery.Denied, err.Error(), err)
	case apierrors.IsInternalError(err) && strings.Contains(err.Error(), "failed calling webhook"):
		return delivery.Wrap(delivery.Denied, err.Error(), err) // whoever is to judge it is away
	case apierrors.IsNotFound(err):
		return delivery.Wrap(delivery.NotFound, err.Error(), err)
	case apierrors.IsAlreadyExists(err), apierrors.IsConflict(err):
		return delivery.Wrap(delivery.Conflict, err.Error(), err)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsMethodNotSupported(err):
		return delivery.Wrap(delivery.Invalid, err.Error(), err)
	}
	return delivery.Wrap(delivery.Unavailable, "the cluster's API server is busy or unwell", err)
}

func decode(raw []byte, v any) error { return json.Unmarshal(raw, v) }
