//go:build e2e

package kube

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// Namespace is a test's own part of a cluster. It is deleted with the test.
type Namespace struct {
	Name string
	// Kubeconfig is a file that says how to reach the cluster, as its administrator.
	Kubeconfig string
	// Host is the address at which pods reach what listens on this machine.
	Host string
	// Registry is HOST:PORT of a registry that pods and this machine push to without a
	// password. The cluster looks up every image there, whatever registry its name has.
	Registry string

	api api
}

// Cluster makes a namespace for the test. Where there is no cluster and none can be
// brought up, the test is skipped.
func Cluster(t testing.TB) *Namespace {
	t.Helper()
	path := kubeconfig(t)
	client, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	n := &Namespace{Kubeconfig: path, api: client}
	n.make(t)
	return n
}

// kubeconfig returns the file of the cluster to use.
func kubeconfig(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("KUBECONFIG"); path != "" {
		return path
	}
	const otherwise = "; or set KUBECONFIG to a cluster that is there for tests"
	if os.Geteuid() != 0 {
		t.Skip("a cluster of our own needs root" + otherwise)
	}
	if _, err := os.Stat("/etc/debian_version"); err != nil {
		t.Skip("a cluster of our own needs Debian's packages" + otherwise)
	}
	path, err := up()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// up brings the project's cluster up, once for the tests of a package.
var up = sync.OnceValues(func() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "make", "-s", "cluster-up")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("make cluster-up: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
})

// moduleRoot finds the product's folder above the test's.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "test", "cluster", "build")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("this is not below a checkout of Shiplock")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// make makes the namespace, and finds out what the cluster says of itself.
func (n *Namespace) make(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client, err := n.api.core()
	if err != nil {
		t.Fatal(err)
	}
	var facts core.ConfigMap
	if err := client.Get().Namespace(meta.NamespaceSystem).Resource("configmaps").Name("shiplock-test").Do(ctx).Into(&facts); err != nil {
		t.Fatalf("the cluster of %s does not say where its registry is, in the ConfigMap shiplock-test of kube-system (docs/testing.md): %v", n.Kubeconfig, err)
	}
	n.Host, n.Registry = facts.Data["host"], facts.Data["registry"]
	made := &core.Namespace{ObjectMeta: meta.ObjectMeta{GenerateName: "shiplock-test-"}}
	if err := n.api.create(ctx, "", "namespaces", made); err != nil {
		t.Fatal(err)
	}
	n.Name = made.Name
	t.Cleanup(func() { n.remove(t) })
	// Pods need an account, which the cluster makes.
	w, err := client.Get().Namespace(n.Name).Resource("serviceaccounts").VersionedParams(n.api.options(only("default"))).Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if _, ok := <-w.ResultChan(); !ok {
		t.Fatal("the cluster made no account in the namespace")
	}
}

// remove deletes the namespace, its pods at once. It does not wait for what follows.
func (n *Namespace) remove(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := n.api.core()
	if err != nil {
		t.Error(err)
		return
	}
	if t.Failed() {
		n.explain(ctx, t, client)
	}
	atOnce := int64(0)
	pods := client.Delete().Namespace(n.Name).Resource("pods").Body(&meta.DeleteOptions{GracePeriodSeconds: &atOnce}).Do(ctx).Error()
	err = client.Delete().Resource("namespaces").Name(n.Name).Do(ctx).Error()
	if err := errors.Join(pods, err); err != nil && !apierrors.IsNotFound(err) {
		t.Errorf("delete namespace %s: %v", n.Name, err)
	}
}

// explain tells what the cluster did in the namespace of a test that failed.
func (n *Namespace) explain(ctx context.Context, t testing.TB, client *rest.RESTClient) {
	var events core.EventList
	if err := client.Get().Namespace(n.Name).Resource("events").Do(ctx).Into(&events); err != nil {
		t.Log(err)
		return
	}
	for _, e := range events.Items {
		t.Logf("%s %s/%s: %s: %s", e.CreationTimestamp.Format(time.TimeOnly), e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message)
	}
}
