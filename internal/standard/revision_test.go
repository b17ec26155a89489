package standard

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestRevisionLaysTheAppOverTheEnvironment(t *testing.T) {
	stack := builtins(t).Stacks["go-1.26"]
	env := delivery.Environment{Name: "prod", Variables: map[string]string{"REGION": "cn", "LEVEL": "info"}}
	app := delivery.App{Name: "shop", Stack: "go-1.26", Environments: map[string]delivery.AppEnvironment{
		"prod": {Variables: map[string]string{"LEVEL": "debug"}, Replicas: 3, Listen: 9000},
		"dev":  {Variables: map[string]string{"LEVEL": "trace"}},
	}}
	artifact := delivery.Artifact{App: "shop", Digest: "sha256:1", Repository: "shop", RunNumber: 4}

	r := Revision(artifact, app, stack, env)
	want := delivery.Config{
		Variables: map[string]string{"REGION": "cn", "LEVEL": "debug"}, Home: "/home/services", Port: 8080,
		Health: delivery.Health{Path: "/", Timeout: delivery.Duration(30 * time.Second)}, Replicas: 3, Logs: "logs/*.log", Listen: 9000,
	}
	if diff := cmp.Diff(want, r.Config); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if r.App != "shop" || r.Env != "prod" || r.Artifact != "sha256:1" || r.RunNumber != 4 {
		t.Errorf("revision is %+v", r)
	}
	if env.Variables["LEVEL"] != "info" {
		t.Error("the environment's own variables were written to")
	}
}

func TestRevisionIsNamedByItsContent(t *testing.T) {
	stack := builtins(t).Stacks["go-1.26"]
	dev := delivery.Environment{Name: "dev"}
	app := delivery.App{Name: "shop", Stack: "go-1.26"}
	one := Revision(delivery.Artifact{App: "shop", Digest: "sha256:1", RunNumber: 1}, app, stack, dev)
	rebuilt := Revision(delivery.Artifact{App: "shop", Digest: "sha256:1", RunNumber: 2}, app, stack, dev)
	if one.ID != rebuilt.ID {
		t.Error("the same content from another run is another revision")
	}
	app.Environments = map[string]delivery.AppEnvironment{"dev": {Variables: map[string]string{"A": "1"}}}
	if other := Revision(delivery.Artifact{App: "shop", Digest: "sha256:1"}, app, stack, dev); other.ID == one.ID {
		t.Error("another configuration is the same revision")
	}
}

func TestStrategy(t *testing.T) {
	set := builtins(t)
	full := &delivery.Strategy{Batches: []delivery.Batch{{Percent: 100}}}
	app := delivery.App{Environments: map[string]delivery.AppEnvironment{"prod": {Strategy: full}, "pre": {}}}
	if got := Strategy(app, set.Environments["prod"]).Kind(); got != "full" {
		t.Errorf("the app's own strategy is %s", got)
	}
	if got := Strategy(delivery.App{}, set.Environments["prod"]).Kind(); got != "canary" {
		t.Errorf("the environment's strategy is %s", got)
	}
}

func TestDockerfile(t *testing.T) {
	got := Dockerfile(delivery.ImagePlan{
		Base: "{registry}/shiplock/base:1", Source: "out/start_env", Home: "/home/services",
		Start: "#!/bin/sh\n", Port: 80, Env: map[string]string{"B": `say "$hi"`, "A": "1"},
	})
	want := `FROM {registry}/shiplock/base:1
WORKDIR /home/services
# start.sh is the stack's unless out/start_env/ holds one
ADD start_env/ /home/services/
ENV A="1"
ENV B="say \"\$hi\""
EXPOSE 80
CMD ["./start.sh"]
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Dockerfile (-want +got):\n%s", diff)
	}
}

func TestRevisionHasTheWorkloadOfTheCluster(t *testing.T) {
	stack := builtins(t).Stacks["go-1.26"]
	prod := delivery.Environment{Name: "prod", Cluster: "east", Namespace: "prod"}
	app := delivery.App{Name: "shop", Stack: "go-1.26", Workload: delivery.Workload{
		Metrics: delivery.Metrics{Path: "/figures"}, PreDeploy: delivery.PreDeploy{Run: "./migrate"},
	}, Environments: map[string]delivery.AppEnvironment{
		"prod": {Replicas: 3, Workload: delivery.Workload{Autoscale: delivery.Autoscale{Max: 9}, Ingress: delivery.Ingress{Host: "shop.example.com"}}},
	}}
	artifact := delivery.Artifact{App: "shop", Digest: "sha256:1", Repository: "shop"}

	want := &delivery.Workload{
		Autoscale: delivery.Autoscale{Min: 3, Max: 9, CPU: 70}, Ingress: delivery.Ingress{Host: "shop.example.com", Path: "/"},
		Metrics: delivery.Metrics{Port: 8080, Path: "/figures"}, Grace: delivery.Duration(30 * time.Second),
		Security: delivery.Security{RunAsUser: 1000}, PreDeploy: delivery.PreDeploy{Run: "./migrate", Timeout: delivery.Duration(10 * time.Minute)},
	}
	if diff := cmp.Diff(want, Revision(artifact, app, stack, prod).Config.Workload); diff != "" {
		t.Errorf("workload (-want +got):\n%s", diff)
	}
	here := &delivery.Workload{PreDeploy: want.PreDeploy}
	if diff := cmp.Diff(here, Revision(artifact, app, stack, delivery.Environment{Name: "prod"}).Config.Workload); diff != "" {
		t.Errorf("on one machine (-want +got):\n%s", diff)
	}
	app.Workload.PreDeploy = delivery.PreDeploy{}
	if w := Revision(artifact, app, stack, delivery.Environment{Name: "prod"}).Config.Workload; w != nil {
		t.Errorf("on one machine there is %+v", w)
	}
	if w := Revision(artifact, delivery.App{Name: "shop"}, stack, prod).Config.Workload; w != nil {
		t.Errorf("an app that asks for nothing has %+v", w)
	}
}

// The ids of revisions that were stored before there were workloads stay what they are.
func TestRevisionIDsAreKept(t *testing.T) {
	stack := builtins(t).Stacks["go-1.26"]
	r := Revision(delivery.Artifact{App: "shop", Digest: "sha256:1", Repository: "shop"}, delivery.App{Name: "shop", Stack: "go-1.26"}, stack, delivery.Environment{Name: "prod"})
	if want := delivery.RevisionID("sha256:a9adeb0d668fea17e83a89400dd136167875ec9ad7132b9271076c4b8ef15472"); r.ID != want {
		t.Errorf("the id is %s, and was %s", r.ID, want)
	}
}
