//go:build e2e

package install

import (
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/kube"
	"github.com/shiplock/shiplock/test/postgres"
)

// An installation's whole life: from its own image by the chart, a build in a pod and a
// release in the cluster that it runs in, an upgrade while a run is in flight, and its end,
// which apps outlive.
func TestClusterInstall(t *testing.T) {
	w := newWorld(t)
	w.install("one")
	w.applyCatalog()

	shop := w.run("shop", w.commit("shop"))
	w.good(shop)
	w.release("shop", w.api.Run(shop).Number)
	w.serves("version one")

	w.doctor(delivery.LevelWarn, "no hook ever came for shop, slow")
	w.prod.DeleteRoleBinding(t, "shiplock-releases")
	w.doctor(delivery.LevelBad, "the server may not get deployments")

	slow := w.run("slow", someCommit)
	w.running(slow)
	w.upgrade("two") // which gives the role back
	w.doctor(delivery.LevelWarn, "no hook ever came for shop, slow")
	if r := w.api.Run(slow); r.State.Terminal() {
		t.Fatalf("the run did not wait for the upgrade: %s", r.State)
	}
	w.gate.Store(true)
	w.good(slow)
	w.serves("version one")

	helm(t, "uninstall", release, "--namespace", w.space.Name, "--wait", "--timeout", "2m", "--kubeconfig", w.space.Kubeconfig)
	w.serves("version one")
	var left appsv1.Deployment
	w.prod.Get(t, "deployments", "shop", &left)
	var claim core.PersistentVolumeClaim
	w.space.Get(t, "persistentvolumeclaims", release, &claim) // with everything in it
}

// someCommit is the commit of builds that need no source.
var someCommit = strings.Repeat("0123456789", 4)

// Two servers share a database and a volume: what one of them did the other one goes on
// with when it is gone.
func TestClusterInstallReplicas(t *testing.T) {
	db, err := postgres.Start("fsync=off")
	if errors.Is(err, postgres.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.space.Create(t, "secrets", &core.Secret{ObjectMeta: meta.ObjectMeta{Name: "database"}, StringData: map[string]string{
		"SHIPLOCK_DATABASE_URL": reachable(t, db, w.space.Host),
	}})
	w.values = []string{"replicas=2", "database.existingSecret=database", "persistence.accessMode=ReadWriteMany"}
	w.install("one")
	w.applyCatalog()
	servers := w.space.Pods(t)
	if len(servers) != 2 || !kube.Running(&servers[0]) || !kube.Running(&servers[1]) {
		t.Fatalf("there are %d servers, and not two that are ready", len(servers))
	}

	slow := w.run("slow", someCommit)
	w.running(slow)
	w.space.DeletePod(t, servers[0].Name, 0)
	w.gate.Store(true)
	w.good(slow)
	w.space.DeletePod(t, servers[1].Name, 0)
	shop := w.run("shop", w.commit("shop"))
	w.good(shop)
	w.release("shop", w.api.Run(shop).Number)
	w.serves("version one")
}

// reachable leads from an address of the machine to a database that listens on a socket
// alone, and returns its URL there. The database ends with the test.
func reachable(t testing.TB, db *postgres.Server, host string) string {
	t.Helper()
	local, err := url.Parse(db.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return // it is closed
			}
			to, err := net.DialTimeout("unix", filepath.Join(local.Query().Get("host"), ".s.PGSQL.5432"), 5*time.Second)
			if err != nil {
				from.Close()
				continue
			}
			conns.Go(func() { defer to.Close(); _, _ = io.Copy(to, from) })
			conns.Go(func() { defer from.Close(); _, _ = io.Copy(from, to) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		db.Close() // which ends the connections
		conns.Wait()
	})
	return "postgres://postgres@" + l.Addr().String() + local.Path + "?sslmode=disable"
}
