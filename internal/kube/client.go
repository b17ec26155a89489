package kube

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Config says which cluster, and as whom.
type Config struct {
	// Kubeconfig is a file; "" is the cluster that this process runs in.
	Kubeconfig string
	// Content is a kubeconfig itself, instead of a file.
	Content []byte
	// Context is of the kubeconfig; "" is its current one.
	Context string
	// UserAgent is how the API server's audit names us.
	UserAgent string
}

// Client is a connection to one cluster's API. It is safe for concurrent use.
type Client struct {
	// Host is the API server's address.
	Host string
	core *rest.RESTClient
	// streams is for what is read at the pace of somebody else.
	streams *rest.RESTClient

	config *rest.Config
	mu     sync.Mutex
	groups map[schema.GroupVersion]*rest.RESTClient
}

// callTimeout limits a call that the caller does not limit more, and answerTimeout how
// long the API server may take to begin its answer, also to a watch.
const (
	callTimeout   = 30 * time.Second
	answerTimeout = 30 * time.Second
)

// Connect prepares a connection; it does not speak to the cluster yet.
func Connect(c Config) (*Client, error) {
	config, err := load(c)
	if err != nil {
		return nil, err
	}
	config.UserAgent = c.UserAgent
	// The limits of client-go are for controllers that know no other measure. What we
	// ask for is bounded by what we start, and the API server sheds load by itself.
	config.QPS = -1
	config.GroupVersion = &corev1.SchemeGroupVersion
	config.APIPath = "/api"
	// The core API is told more cheaply this way than as JSON, to both sides.
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme()).WithoutConversion()
	config.WrapTransport = impatient
	core, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, "the cluster's configuration is not usable", err)
	}
	streams, err := streaming(config)
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, "the cluster's configuration is not usable", err)
	}
	return &Client{Host: config.Host, core: core, streams: streams, config: config, groups: map[schema.GroupVersion]*rest.RESTClient{corev1.SchemeGroupVersion: core}}, nil
}

// streaming has a connection for each stream: HTTP/2 would buffer megabytes of each of
// them for a reader that is slow.
func streaming(config *rest.Config) (*rest.RESTClient, error) {
	own := rest.CopyConfig(config)
	own.NextProtos = []string{"http/1.1"}
	return rest.RESTClientFor(own)
}

// group returns the client of a part of the API.
func (c *Client) group(gv schema.GroupVersion) (*rest.RESTClient, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if there := c.groups[gv]; there != nil {
		return there, nil
	}
	config := rest.CopyConfig(c.config)
	config.GroupVersion = &gv
	if config.APIPath = "/apis"; gv.Group == "" {
		config.APIPath = "/api"
	}
	one, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, delivery.Wrap(delivery.Internal, "speak to "+gv.String(), err)
	}
	c.groups[gv] = one
	return one, nil
}

func load(c Config) (*rest.Config, error) {
	if len(c.Content) > 0 {
		return loadContent(c)
	}
	if c.Kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, delivery.Wrap(delivery.Invalid, "this is no pod with a service account: name a cluster with --kubeconfig", err)
		}
		return config, nil
	}
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: c.Kubeconfig}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: c.Context}).ClientConfig()
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, "the kubeconfig "+c.Kubeconfig+" cannot be used", err)
	}
	return config, nil
}

func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	metav1.AddToGroupVersion(s, corev1.SchemeGroupVersion)
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, authorizationv1.AddToScheme, autoscalingv2.AddToScheme, batchv1.AddToScheme,
		discoveryv1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme,
	} {
		if err := add(s); err != nil {
			panic("kube: the API does not register: " + err.Error()) // a program error
		}
	}
	return s
}

// impatient has no request wait for ever for an answer to begin.
func impatient(rt http.RoundTripper) http.RoundTripper {
	if t, ok := rt.(*http.Transport); ok {
		t.ResponseHeaderTimeout = answerTimeout
	}
	return rt
}

// Version asks for the cluster's version.
func (c *Client) Version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var v version.Info
	raw, err := c.core.Get().AbsPath("/version").Do(ctx).Raw()
	if err == nil {
		err = decode(raw, &v)
	}
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", c.Host, classify(err))
	}
	return v.GitVersion, nil
}

// Ready asks whether the API server can serve: one that has lost its store still says its
// version.
func (c *Client) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := c.core.Get().AbsPath("/readyz").Do(ctx).Error(); err != nil {
		return fmt.Errorf("ask %s whether it is ready: %w", c.Host, classify(err))
	}
	return nil
}

// Object is what the API has of a name in a namespace.
type Object interface {
	runtime.Object
	metav1.Object
}

// Create makes an object, and reads into it what was made. Conflict when there is one
// of its name already.
func (c *Client) Create(ctx context.Context, resource string, o Object) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := c.core.Post().Namespace(o.GetNamespace()).Resource(resource).Body(o).Do(ctx).Into(o)
	return classify(err)
}

// Get reads an object into one that names it.
func (c *Client) Get(ctx context.Context, resource string, o Object) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return classify(c.core.Get().Namespace(o.GetNamespace()).Resource(resource).Name(o.GetName()).Do(ctx).Into(o))
}

// List reads the objects of a namespace that a label selector fits.
func (c *Client) List(ctx context.Context, resource, namespace, selector string, into runtime.Object) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req := c.core.Get().Resource(resource).Param("labelSelector", selector)
	if namespace != "" {
		req = req.Namespace(namespace)
	}
	return classify(req.Do(ctx).Into(into))
}

// Delete asks for the end of an object, which is this very one if its UID is set. A
// pod has grace to end. That there is none is no error.
func (c *Client) Delete(ctx context.Context, resource string, o Object, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	seconds := int64(grace.Seconds())
	options := metav1.DeleteOptions{GracePeriodSeconds: &seconds}
	if uid := o.GetUID(); uid != "" {
		options.Preconditions = &metav1.Preconditions{UID: &uid}
	}
	err := classify(c.core.Delete().Namespace(o.GetNamespace()).Resource(resource).Name(o.GetName()).Body(&options).Do(ctx).Error())
	if kind := delivery.KindOf(err); kind == delivery.NotFound || kind == delivery.Conflict {
		return nil // it is gone, or another one has its name
	}
	return err
}
