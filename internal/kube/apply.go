package kube

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Apply says how an object is applied.
type Apply struct {
	// Manager is the name that the fields are owned under.
	Manager string
	// Force takes over fields that others own.
	Force bool
	// DryRun changes nothing, and answers what would be.
	DryRun bool
}

// Do applies an object server-side, and returns what is there then. With a resource
// version in it, it is a Conflict when the object has another one. An Owned error when
// others own fields that it would change.
func (a Apply) Do(ctx context.Context, c *Client, r schema.GroupVersionResource, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := json.Marshal(o)
	if err != nil {
		return nil, delivery.Wrap(delivery.Internal, "write "+o.GetKind()+" "+o.GetName(), err)
	}
	client, err := c.group(r.GroupVersion())
	if err != nil {
		return nil, err
	}
	req := client.Patch(types.ApplyPatchType).Resource(r.Resource).Name(o.GetName()).
		SetHeader("Accept", runtime.ContentTypeJSON).
		Param("fieldManager", a.Manager).Body(body)
	if o.GetNamespace() != "" {
		req = req.Namespace(o.GetNamespace())
	}
	if a.Force {
		req = req.Param("force", "true")
	}
	if a.DryRun {
		req = req.Param("dryRun", "All")
	}
	answer := req.Do(ctx)
	if err := answer.Error(); err != nil { // Raw's own error knows no more than the status code
		return nil, owned(err)
	}
	raw, err := answer.Raw()
	if err != nil {
		return nil, classify(err)
	}
	now := &unstructured.Unstructured{}
	if err := now.UnmarshalJSON(raw); err != nil {
		return nil, delivery.Wrap(delivery.Unavailable, "read what was applied", err)
	}
	return now, nil
}

// Owned says which fields of an object belong to others.
type Owned struct{ Fields []OwnedField }

// OwnedField is one of them, by its path, such as .spec.replicas.
type OwnedField struct{ Path, Manager string }

// Of is who else owns a field, or what it is in; "" when nobody does.
func (o *Owned) Of(path string) string {
	if o == nil {
		return ""
	}
	for _, f := range o.Fields {
		if rest, ok := strings.CutPrefix(path, f.Path); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return f.Manager
		}
	}
	return ""
}

func (o *Owned) Error() string {
	var all []string
	for _, f := range o.Fields {
		all = append(all, f.Path+" belongs to "+f.Manager)
	}
	return strings.Join(all, ", ")
}

var conflictWith = regexp.MustCompile(`conflict with "([^"]*)"`)

// owned tells a conflict about fields from other errors.
func owned(err error) error {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !apierrors.IsConflict(err) || status.Status().Details == nil {
		return classify(err)
	}
	o := &Owned{}
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		f := OwnedField{Path: cause.Field}
		if m := conflictWith.FindStringSubmatch(cause.Message); m != nil {
			f.Manager = m[1]
		}
		o.Fields = append(o.Fields, f)
	}
	if len(o.Fields) == 0 {
		return classify(err)
	}
	return delivery.Wrap(delivery.Conflict, o.Error(), o)
}

// Drop takes fields out of an object, whoever owns them: those that are null in a merge
// patch. It is a Conflict when the object has another resource version.
func (c *Client) Drop(ctx context.Context, r schema.GroupVersionResource, namespace, name, version string, patch map[string]any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client, err := c.group(r.GroupVersion())
	if err != nil {
		return err
	}
	patch["metadata"] = map[string]any{"resourceVersion": version}
	body, err := json.Marshal(patch)
	if err != nil {
		return delivery.Wrap(delivery.Internal, "write a patch", err)
	}
	return classify(client.Patch(types.MergePatchType).Namespace(namespace).Resource(r.Resource).Name(name).
		SetHeader("Accept", runtime.ContentTypeJSON).Body(body).Do(ctx).Error())
}

// LabelsOf returns the labels of an object of any kind, or NotFound.
func (c *Client) LabelsOf(ctx context.Context, r schema.GroupVersionResource, namespace, name string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client, err := c.group(r.GroupVersion())
	if err != nil {
		return nil, err
	}
	answer := client.Get().Namespace(namespace).Resource(r.Resource).Name(name).SetHeader("Accept", runtime.ContentTypeJSON).Do(ctx)
	if err := answer.Error(); err != nil {
		return nil, classify(err)
	}
	raw, err := answer.Raw()
	var o metav1.PartialObjectMetadata
	if err == nil {
		err = decode(raw, &o)
	}
	return o.Labels, delivery.Wrap(delivery.Unavailable, "read "+r.Resource+" "+name, err)
}

// Remove asks for the end of an object of any kind, and of what it owns. That there is
// none is no error.
func (c *Client) Remove(ctx context.Context, r schema.GroupVersionResource, namespace, name string, uid types.UID) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client, err := c.group(r.GroupVersion())
	if err != nil {
		return err
	}
	background := metav1.DeletePropagationBackground
	options := metav1.DeleteOptions{PropagationPolicy: &background}
	if uid != "" {
		options.Preconditions = &metav1.Preconditions{UID: &uid}
	}
	err = classify(client.Delete().Namespace(namespace).Resource(r.Resource).Name(name).Body(&options).Do(ctx).Error())
	if kind := delivery.KindOf(err); kind == delivery.NotFound || kind == delivery.Conflict {
		return nil // it is gone, or another one has its name
	}
	return err
}
