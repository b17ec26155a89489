package manifest

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/shiplock/shiplock/internal/delivery"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	east = Place{
		Namespace: "prod", Registry: "registry.example.com/apps", PullSecrets: []string{"registry"},
		Tools: "registry.example.com/apps/shiplock/web:1",
	}
	restarted = time.Date(2026, 11, 3, 8, 0, 0, 0, time.UTC)
)

// revision is a small App's, without wishes of its own.
func revision(digest string) delivery.Revision {
	return delivery.NewRevision(
		delivery.Artifact{App: "shop", Digest: delivery.Digest(digest), Repository: "shop", RunNumber: 7}, "prod",
		delivery.Config{
			Variables: map[string]string{"LEVEL": "info", "GREETING": "$(HOME) costs $5"}, Home: "/home/services", Port: 8080,
			Health: delivery.Health{Path: "/healthz", Timeout: delivery.Duration(45 * time.Second)}, Replicas: 1, Logs: "logs/*.log",
		})
}

// remade is the revision with another configuration.
func remade(r delivery.Revision, change func(*delivery.Config)) delivery.Revision {
	change(&r.Config)
	return delivery.NewRevision(delivery.Artifact{App: r.App, Digest: r.Artifact, Repository: r.Repository}, r.Env, r.Config)
}

// wishful is an App's that asks for everything.
func wishful(c *delivery.Config) {
	c.Replicas = 4
	c.Workload = &delivery.Workload{
		Resources: delivery.Resources{
			Requests: map[string]delivery.Quantity{"cpu": "200m", "memory": "256Mi"}, Limits: map[string]delivery.Quantity{"memory": "512Mi"},
		},
		Autoscale: delivery.Autoscale{Min: 4, Max: 40, CPU: 70},
		Ingress:   delivery.Ingress{Host: "shop.example.com", Path: "/", Class: "nginx", TLSSecret: "shop-tls"},
		Metrics:   delivery.Metrics{Port: 9090, Path: "/metrics"},
		Config:    []delivery.ConfigRef{{ConfigMap: "common"}, {Secret: "db", Key: "password", Variable: "DB_PASSWORD"}, {Secret: "extra"}},
		Files: []delivery.ConfigFile{
			{Path: "config/limits.yaml", Content: "perMinute: 600\n"},
			{Path: "/etc/shop/ca.pem", Secret: "shop-ca", Key: "ca.pem"},
		},
		Scratch: []string{"storage", "/tmp"}, Grace: delivery.Duration(time.Minute),
		NodeSelector: map[string]string{"disk": "ssd"}, Tolerations: []delivery.Toleration{{Key: "trust", Operator: "Exists", Effect: "NoSchedule"}},
		PullSecrets: []string{"shop-registry", "registry"}, ServiceAccount: "shop", Security: delivery.Security{RunAsUser: 2000, WritableRoot: true},
		PreDeploy: delivery.PreDeploy{Run: "./migrate up\necho $(date) >> /tmp/done", Timeout: delivery.Duration(5 * time.Minute)},
	}
}

func shape(s Shape) Shape {
	s.App, s.Env, s.Team = "shop", "prod", "mall"
	if s.Generation == 0 {
		s.Generation = 12
	}
	return s
}

func TestRenderGolden(t *testing.T) {
	plain, rich := revision("sha256:aa"), remade(revision("sha256:bb"), wishful)
	worker := remade(plain, func(c *delivery.Config) { c.Port, c.Logs, c.Health = 0, "", delivery.Health{} })
	for name, s := range map[string]Shape{
		"small":      {Stable: &Half{Revision: plain, Replicas: 1}, Serve: TrackStable},
		"everything": {Stable: &Half{Revision: rich, Replicas: 6, Floor: 6}, Canary: &Half{Revision: plain, Replicas: 2}, Serve: TrackBoth, RestartedAt: restarted},
		"all-canary": {Stable: &Half{Revision: plain, Replicas: 3}, Canary: &Half{Revision: rich, Replicas: 4}, Serve: TrackCanary},
		"worker":     {Stable: &Half{Revision: worker, Replicas: 2}, Serve: TrackStable},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := Render(east, shape(s))
			golden(t, name, objects, err)
		})
	}
}

func TestPreDeployGolden(t *testing.T) {
	m := Migration{App: "shop", Env: "prod", Team: "mall", Generation: 12, Release: "0199f1c2-7a70-7000-8000-000000000001", Revision: remade(revision("sha256:bb"), wishful)}
	objects, err := PreDeploy(east, m)
	golden(t, "predeploy", objects, err)
	if last := objects[len(objects)-1]; last.GetName() != PreDeployName("shop", m.Release) {
		t.Errorf("the Job is called %s", last.GetName())
	}
	m.Revision = revision("sha256:aa")
	if none, err := PreDeploy(east, m); err != nil || none != nil {
		t.Errorf("without a command there is %v, %v", none, err)
	}
}

func golden(t *testing.T, name string, objects []Object, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	list := make([]runtime.Object, len(objects))
	for i, o := range objects {
		list[i] = o
	}
	got, err := YAML(list)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name+".yaml")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("objects differ from %s (-want +got); -update rewrites it:\n%s", file, diff)
	}
}

func render(t *testing.T, s Shape) map[string]Object {
	t.Helper()
	objects, err := Render(east, shape(s))
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Object{}
	for _, o := range objects {
		key := o.GetKind() + "/" + o.GetName()
		if byName[key] != nil {
			t.Errorf("%s is there twice", key)
		}
		byName[key] = o
	}
	return byName
}

func template(t *testing.T, o Object) map[string]any {
	t.Helper()
	fields, ok, err := unstructured.NestedMap(o.Object, "spec", "template")
	if !ok || err != nil {
		t.Fatalf("%v has no template: %v", o, err)
	}
	return fields
}

// A new generation alone must not replace a single pod.
func TestGenerationIsNotInPods(t *testing.T) {
	s := Shape{Stable: &Half{Revision: remade(revision("sha256:bb"), wishful), Replicas: 2}, Canary: &Half{Revision: revision("sha256:aa"), Replicas: 1}}
	before := render(t, s)
	s.Generation = 99
	after := render(t, s)
	for key, o := range after {
		if o.GetAnnotations()[AnnotationGeneration] != "99" {
			t.Errorf("%s does not tell its generation: %v", key, o.GetAnnotations())
		}
		o.SetAnnotations(nil)
		before[key].SetAnnotations(nil)
		if diff := cmp.Diff(before[key].Object, o.Object); diff != "" {
			t.Errorf("%s changes with the generation:\n%s", key, diff)
		}
	}
}

// A restart is of both halves, and a restart only.
func TestRestart(t *testing.T) {
	s := Shape{Stable: &Half{Revision: revision("sha256:bb"), Replicas: 2}, Canary: &Half{Revision: revision("sha256:aa"), Replicas: 1}}
	before := render(t, s)
	s.RestartedAt = restarted
	after := render(t, s)
	for key, o := range after {
		if o.GetKind() != "Deployment" {
			if diff := cmp.Diff(before[key].Object, o.Object); diff != "" {
				t.Errorf("%s changes with a restart:\n%s", key, diff)
			}
			continue
		}
		if cmp.Equal(template(t, before[key]), template(t, o)) {
			t.Errorf("%s is not restarted", key)
		}
	}
}

// What a half is made of is its revision's alone: the other half, the traffic and the
// number of pods leave its pods as they are.
func TestPodsAreTheirRevisions(t *testing.T) {
	old := &Half{Revision: revision("sha256:aa"), Replicas: 2}
	alone := render(t, Shape{Stable: old, Serve: TrackStable})
	fresh := &Half{Revision: remade(revision("sha256:bb"), wishful), Replicas: 1}
	beside := render(t, Shape{Stable: &Half{Revision: old.Revision, Replicas: 9, Floor: 9}, Canary: fresh, Serve: TrackCanary})
	if diff := cmp.Diff(template(t, alone["Deployment/shop"]), template(t, beside["Deployment/shop"])); diff != "" {
		t.Errorf("the old pods are replaced (-alone +beside):\n%s", diff)
	}
}

// Each version has its own files, and keeps them while it runs.
func TestFilesAreOfTheirRevision(t *testing.T) {
	with := func(digest, content string) *Half {
		return &Half{Replicas: 1, Revision: remade(revision(digest), func(c *delivery.Config) {
			c.Workload = &delivery.Workload{Files: []delivery.ConfigFile{{Path: "a/x y.conf", Content: content}, {Path: "b/x y.conf", Content: content}}}
		})}
	}
	count := func(s Shape) (n int) {
		for _, o := range render(t, s) {
			if o.GetKind() == "ConfigMap" {
				n++
			}
		}
		return n
	}
	if n := count(Shape{Stable: with("sha256:aa", "1"), Canary: with("sha256:bb", "2")}); n != 2 {
		t.Errorf("different files are in %d ConfigMaps", n)
	}
	if n := count(Shape{Stable: with("sha256:aa", "1"), Canary: with("sha256:bb", "1")}); n != 1 {
		t.Errorf("the same files are in %d ConfigMaps", n)
	}
}

func TestFloorHoldsTheAutoscaler(t *testing.T) {
	rich := remade(revision("sha256:bb"), wishful)
	for floor, want := range map[int][2]int64{0: {4, 40}, 9: {9, 40}, 60: {60, 60}} {
		o := render(t, Shape{Stable: &Half{Revision: rich, Replicas: max(floor, 4), Floor: floor}})["HorizontalPodAutoscaler/shop"]
		least, _, _ := unstructured.NestedInt64(o.Object, "spec", "minReplicas")
		most, _, _ := unstructured.NestedInt64(o.Object, "spec", "maxReplicas")
		if got := [2]int64{least, most}; got != want {
			t.Errorf("with a floor of %d it scales between %v, want %v", floor, got, want)
		}
	}
}

func TestOneInstanceAloneMayBeMoved(t *testing.T) {
	one := &Half{Revision: revision("sha256:aa"), Replicas: 1}
	if render(t, Shape{Stable: one})["PodDisruptionBudget/shop"] != nil {
		t.Error("a single instance keeps its node from being emptied")
	}
	if render(t, Shape{Stable: one, Canary: &Half{Revision: revision("sha256:bb"), Replicas: 1}})["PodDisruptionBudget/shop"] == nil {
		t.Error("two instances may both be away at once")
	}
}

func TestRenderRefuses(t *testing.T) {
	for want, change := range map[string]func(*delivery.Config){
		`the log files "*.log" are in no folder of their own, which a cluster needs: write logs like logs/*.log`: func(c *delivery.Config) { c.Logs = "*.log" },
		"shop has an ingress and no port: write port into its Stack or its shiplock.yaml, or remove the ingress": func(c *delivery.Config) {
			c.Port, c.Workload = 0, &delivery.Workload{Ingress: delivery.Ingress{Host: "shop.example.com"}}
		},
	} {
		s := shape(Shape{Stable: &Half{Revision: remade(revision("sha256:aa"), change), Replicas: 1}})
		if _, err := Render(east, s); err == nil || err.Error() != want || delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}

func TestNothingToRun(t *testing.T) {
	if objects, err := Render(east, shape(Shape{})); err != nil || len(objects) != 0 {
		t.Errorf("there is %v, %v", objects, err)
	}
}
