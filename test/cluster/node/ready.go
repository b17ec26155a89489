package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	core "k8s.io/api/core/v1"
	storageapi "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/shiplock/shiplock/test/cluster/layout"
	"github.com/shiplock/shiplock/test/cluster/storage"
)

func registryAnswers(ctx context.Context) error {
	return answers(ctx, http.DefaultTransport, "http://"+layout.Registry+"/v2/")
}

// containerdListens tells whether the kubelet can start, which does not wait for it.
func containerdListens(ctx context.Context) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", layout.Containerd)
	if err != nil {
		return err
	}
	return c.Close()
}

// policiesAreEnforced tells whether the network plugin of a pod would be answered.
func policiesAreEnforced(ctx context.Context) error {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", layout.PolicySocket)
	}}
	defer transport.CloseIdleConnections()
	return answers(ctx, transport, "http://policy/")
}

func answers(ctx context.Context, transport http.RoundTripper, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: transport, Timeout: 5 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

type client struct{ kubernetes.Interface }

func connect() (client, error) {
	config, err := clientcmd.BuildConfigFromFlags("", layout.AdminConfig)
	if err != nil {
		return client{}, err
	}
	config.Timeout = 10 * time.Second
	c, err := kubernetes.NewForConfig(config)
	return client{c}, err
}

func (c client) ready(ctx context.Context) error {
	return c.CoreV1().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
}

func (c client) nodeReady(ctx context.Context, name string) error {
	node, err := c.CoreV1().Nodes().Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == core.NodeReady && condition.Status != core.ConditionTrue {
			return errors.New(condition.Message)
		}
		// A node of an earlier start is ready until the controllers notice that it was away.
		if condition.Type == core.NodeReady {
			return nil
		}
	}
	return fmt.Errorf("node %s has no conditions yet", name)
}

// accountsMade tells whether pods can be made: they need an account.
func (c client) accountsMade(ctx context.Context) error {
	_, err := c.CoreV1().ServiceAccounts(meta.NamespaceDefault).Get(ctx, "default", meta.GetOptions{})
	return err
}

// makeObjects makes what tests find in the cluster: its storage class, and where its
// registry and its machine are.
func (c client) makeObjects(ctx context.Context) error {
	reclaim := core.PersistentVolumeReclaimDelete
	_, err := c.StorageV1().StorageClasses().Create(ctx, &storageapi.StorageClass{
		ObjectMeta:    meta.ObjectMeta{Name: storage.Class, Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}},
		Provisioner:   storage.Provisioner,
		ReclaimPolicy: &reclaim,
	}, meta.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	_, err = c.CoreV1().ConfigMaps(meta.NamespaceSystem).Create(ctx, &core.ConfigMap{
		ObjectMeta: meta.ObjectMeta{Name: "shiplock-test"},
		Data:       map[string]string{"host": layout.NodeAddress, "registry": layout.Registry},
	}, meta.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return nil
}
