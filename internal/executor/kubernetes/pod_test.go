package kubernetes

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

//go:generate go test -count=1 -run ^TestPod$ -update .

var update = flag.Bool("update", false, "write testdata/*.json")

func spec(change func(*delivery.AttemptSpec)) delivery.AttemptSpec {
	s := delivery.AttemptSpec{
		Key: "shop-17-build-1", ClaimCode: "code", ServerURL: "http://shiplock.example.com", Image: "golang:1.26",
		Timeout: delivery.Duration(time.Hour),
	}
	if change != nil {
		change(&s)
	}
	return s
}

func TestPod(t *testing.T) {
	e := &Executor{Config: Config{
		Namespace: "builds", Installation: "i1", PriorityClass: "shiplock-build", PullSecrets: []string{"ours"},
		Registry: Registry{Host: "registry.example.com", Username: "shiplock", Password: "p"},
		Cache:    &Claims{Size: "20Gi"},
	}}
	for name, s := range map[string]delivery.AttemptSpec{
		"plain": spec(nil),
		"again with more memory": spec(func(s *delivery.AttemptSpec) {
			s.Key, s.MoreMemory = "shop-17-build-2", true
		}),
		"caches of an unprotected build": spec(func(s *delivery.AttemptSpec) {
			s.Caches = &delivery.CachePlaces{Stack: "go-1.26", Read: []string{"app-shop", delivery.ProtectedDomain}, Publish: "app-shop"}
		}),
		"caches of a protected build": spec(func(s *delivery.AttemptSpec) {
			s.Caches = &delivery.CachePlaces{Stack: "go-1.26", Read: []string{delivery.ProtectedDomain}, Publish: delivery.ProtectedDomain}
		}),
		"all of a template": spec(func(s *delivery.AttemptSpec) {
			s.Pod = &delivery.BuildPod{
				Resources: delivery.Resources{
					Requests: map[string]delivery.Quantity{"cpu": "1", "memory": "1Gi"},
					Limits:   map[string]delivery.Quantity{"memory": "3Gi", "ephemeral-storage": "5Gi"},
				},
				NodeSelector: map[string]string{"pool": "builds"},
				Tolerations:  []delivery.Toleration{{Key: "builds", Operator: "Exists", Effect: "NoSchedule"}},
				PullSecrets:  []string{"theirs"},
				Volumes: []delivery.PodVolume{
					{Name: "settings", Path: "/etc/maven", ConfigMap: "maven"},
					{Name: "key", Path: "/etc/key", Secret: "key"},
					{Name: "data", Path: "/data", Claim: "data", ReadOnly: true},
					{Name: "shm", Path: "/dev/shm", Empty: "64Mi", Memory: true},
				},
				Services: []delivery.PodService{{
					Name: "db", Image: "postgres:16", Args: []string{"-c", "fsync=off"}, Env: map[string]string{"POSTGRES_PASSWORD": "x"}, Port: 5432,
					Resources: delivery.Resources{Limits: map[string]delivery.Quantity{"memory": "256Mi"}},
				}},
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.MarshalIndent(e.pod(s, "registry.example.com/shiplock/builders@sha256:1"), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", name+".json"), string(text)+"\n")
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is stale: run go generate here and read the difference; now it is\n%s", path, got)
	}
}

// Whatever a document says, a build's containers have no privileges, and nobody gets a
// build's protected caches to write but protected builds.
func TestEveryPodIsConfined(t *testing.T) {
	e := &Executor{Config: Config{Namespace: "builds", Cache: &Claims{Size: "1Gi"}}}
	p := e.pod(spec(func(s *delivery.AttemptSpec) {
		s.Caches = &delivery.CachePlaces{Stack: "go-1.26", Read: []string{"app-shop", delivery.ProtectedDomain}, Publish: "app-shop"}
		s.Pod = &delivery.BuildPod{Services: []delivery.PodService{{Name: "db", Image: "db"}}}
	}), "image")
	if *p.Spec.AutomountServiceAccountToken || !*p.Spec.SecurityContext.RunAsNonRoot || p.Spec.HostNetwork || p.Spec.HostPID {
		t.Errorf("the pod is not confined: %+v", p.Spec)
	}
	for _, c := range append(p.Spec.InitContainers, p.Spec.Containers...) {
		s := c.SecurityContext
		if *s.Privileged || *s.AllowPrivilegeEscalation || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || s.RunAsUser != nil {
			t.Errorf("container %s is not confined: %+v", c.Name, s)
		}
	}
	for _, v := range p.Spec.Volumes {
		if claim := v.PersistentVolumeClaim; claim != nil && claim.ReadOnly != (claim.ClaimName == "shiplock-cache-protected.go-1.26") {
			t.Errorf("volume %s: read only %v", claim.ClaimName, claim.ReadOnly)
		}
	}
}

// What is slow to answer one key holds up no other one.
func TestBellsOfSeveral(t *testing.T) {
	b := newBells()
	slow, answered := make(chan struct{}), make(chan string, 2)
	ctx, stop := context.WithCancel(t.Context())
	var answering sync.WaitGroup
	for range 2 {
		answering.Go(func() {
			b.answer(ctx, func(_ context.Context, key string) {
				if key == "slow" {
					<-slow
				}
				answered <- key
			})
		})
	}
	b.ring("slow")
	b.ring("quick")
	if first := <-answered; first != "quick" {
		t.Errorf("%s was answered first", first)
	}
	close(slow)
	if second := <-answered; second != "slow" {
		t.Errorf("%s was answered last", second)
	}
	stop()
	answering.Wait()
}

func TestBells(t *testing.T) {
	b := newBells()
	var heard []string
	for range 3 {
		b.ring("a")
		b.ring("b")
	}
	for key, ok := b.next(); ok; key, ok = b.next() {
		if heard = append(heard, key); key == "a" && len(heard) == 1 {
			b.ring("a") // rung while it is answered: answered again
		}
	}
	if got := len(heard); got != 3 || heard[0] != "a" || heard[1] != "b" || heard[2] != "a" {
		t.Errorf("answered %v", heard)
	}
}

// One App's caches are in no volume of another's, whatever they and their Stacks are
// called.
func TestVolumesOfCachesAreApart(t *testing.T) {
	if a, b := claimName("app-shop", "web-go"), claimName("app-shop-web", "go"); a == b {
		t.Errorf("both are in %s", a)
	}
}
