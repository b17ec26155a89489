package kube

import (
	"context"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/manifest"
)

// Missing returns those rights, in their order, that the cluster does not give us.
func (c *Client) Missing(ctx context.Context, rights []manifest.Right) ([]manifest.Right, error) {
	const atOnce = 4
	may := make([]bool, len(rights))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, r := range rights {
		g.Go(func() (err error) {
			may[i], err = c.may(ctx, r)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var missing []manifest.Right
	for i, ok := range may {
		if !ok {
			missing = append(missing, rights[i])
		}
	}
	return missing, nil
}

func (c *Client) may(ctx context.Context, r manifest.Right) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client, err := c.group(authorizationv1.SchemeGroupVersion)
	if err != nil {
		return false, err
	}
	resource, sub, _ := strings.Cut(r.Resource, "/")
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: r.Namespace, Group: r.Group, Resource: resource, Subresource: sub, Verb: r.Verb,
		},
	}}
	err = classify(client.Post().Resource("selfsubjectaccessreviews").Body(review).Do(ctx).Into(review))
	return review.Status.Allowed, err
}

// Try asks for an object as Create does, and has the cluster make none: what would refuse
// it does. Into the object goes what would be there, with the time of the API server.
func (c *Client) Try(ctx context.Context, resource string, o Object) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := c.core.Post().Namespace(o.GetNamespace()).Resource(resource).Param("dryRun", "All").Body(o).Do(ctx).Into(o)
	if err = classify(err); delivery.KindOf(err) == delivery.Conflict {
		return nil // there is one already
	}
	return err
}

// TryNamespace asks whether a small object could be made in a namespace, and makes none.
// It returns the API server's time, when it could.
func (c *Client) TryNamespace(ctx context.Context, namespace string) (time.Time, error) {
	o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "shiplock-doctor-"}}
	err := c.Try(ctx, "configmaps", o)
	return o.CreationTimestamp.Time, err
}
