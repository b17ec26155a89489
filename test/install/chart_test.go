//go:build e2e

package install

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/manifest"
	"github.com/shiplock/shiplock/test/harness"
)

func TestPlainYAMLIsTheChart(t *testing.T) {
	helm(t, "lint", "--strict", chart)
	fresh, err := exec.CommandContext(t.Context(), filepath.Join(root, "deploy", "plain")).Output()
	if err != nil {
		t.Fatal(err)
	}
	there, err := os.ReadFile(filepath.Join(root, "deploy", "shiplock.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(fresh, there) {
		t.Error("deploy/shiplock.yaml is not what the chart is: run `make generate`")
	}
}

// What the chart gives the server and builds is what the program prints for the same
// installation.
func TestChartIsWhatTheProgramPrints(t *testing.T) {
	server := manifest.ServiceAccount{Namespace: "ci", Name: "shiplock"}
	space := manifest.BuildSpace{
		Namespace: "shiplock-builds", PriorityClass: "shiplock-build", Server: server,
		Quota: map[string]delivery.Quantity{"requests.cpu": "64", "pods": "20"},
	}
	allowed := []string{"10.1.0.0/16", "10.2.3.4/32:443"}
	for _, text := range allowed {
		a, err := manifest.ParseAllowance(text)
		if err != nil {
			t.Fatal(err)
		}
		space.Allow = append(space.Allow, a)
	}
	printed, err := space.Objects()
	if err != nil {
		t.Fatal(err)
	}
	printed = append(printed, manifest.Access{Namespaces: []string{"prod", "pre"}, Server: server, Monitors: true}.Objects()...)
	text, err := manifest.YAML(printed)
	if err != nil {
		t.Fatal(err)
	}
	rendered := objects(t, helm(t, "template", "shiplock", chart, "--namespace", "ci",
		"--set", "builds.allow={"+strings.Join(allowed, ",")+"}", "--set", `builds.quota.requests\.cpu=64`, "--set", "builds.quota.pods=20",
		"--set", "releases.namespaces={prod,pre}", "--set", "releases.serviceMonitors=true"))
	withoutServer(t, rendered["NetworkPolicy shiplock-builds/shiplock-builds"])
	for name, want := range objects(t, text) {
		got := rendered[name]
		if got == nil {
			t.Errorf("the chart has no %s", name)
			continue
		}
		bare(want)
		bare(got)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s of the chart is\n%s\nand the program prints\n%s", name, written(t, got), written(t, want))
		}
	}
}

// withoutServer takes out the way to the server's pods, which the chart alone knows.
func withoutServer(t *testing.T, policy map[string]any) {
	t.Helper()
	spec := policy["spec"].(map[string]any)
	rules := spec["egress"].([]any)
	kept := []any{}
	for _, r := range rules {
		if !strings.Contains(written(t, r), "podSelector") {
			kept = append(kept, r)
		}
	}
	if len(kept) != len(rules)-1 {
		t.Errorf("%d rules of %d lead to the server", len(rules)-len(kept), len(rules))
	}
	spec["egress"] = kept
}

// bare leaves of labels those that the cluster goes by, and nothing that is empty.
func bare(o map[string]any) {
	if spec, ok := o["spec"].(map[string]any); ok && len(spec) == 0 {
		delete(o, "spec")
	}
	labels := o["metadata"].(map[string]any)["labels"].(map[string]any)
	for name := range labels {
		if !strings.HasPrefix(name, "pod-security.") {
			delete(labels, name)
		}
	}
}

func TestChartRefusesWhatCannotWork(t *testing.T) {
	replicas := []string{"--set", "replicas=2"}
	database := append(replicas, "--set", "database.existingSecret=database")
	for _, c := range []struct {
		values []string
		says   string
	}{
		{replicas, "PostgreSQL"},
		{database, "ReadWriteMany"},
		{[]string{"--set", "registry.address=https://registry.example.com"}, "registry"},
		{[]string{"--set", "builds.allow={everything}"}, "allow"},
		{[]string{"--set", "persistance.size=5Gi"}, "persistance"},
	} {
		cmd := exec.CommandContext(t.Context(), helmProgram(t), append([]string{"template", "shiplock", chart}, c.values...)...)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), c.says) {
			t.Errorf("%v: %v: %s", c.values, err, out)
		}
	}
	rendered := objects(t, helm(t, append([]string{"template", "shiplock", chart, "--namespace", "ci", "--set", "persistence.accessMode=ReadWriteMany"}, database...)...))
	for _, name := range []string{"Deployment ci/shiplock", "PodDisruptionBudget ci/shiplock"} {
		if rendered[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
}

// Whatever the values are, the server knows the options that become of them.
func TestChartKnowsTheServersOptions(t *testing.T) {
	rendered := objects(t, helm(t, "template", "shiplock", chart, "--namespace", "ci",
		"--set", "registry.authSecret=a", "--set", "registry.caConfigMap=b", "--set", "registry.plainHTTP=true", "--set", "registry.sharedCredential=true",
		"--set", "builds.pullSecrets={c}", "--set", "builds.image=d", "--set", "builds.cache.storageClass=e", "--set", "builds.cache.shared=true",
		"--set", "releases.pullSecrets={f,g}"))
	spec := rendered["StatefulSet ci/shiplock"]["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
	args := spec["containers"].([]any)[0].(map[string]any)["args"].([]any)
	help, err := exec.CommandContext(t.Context(), harness.Bin(t, "shiplock"), "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range args[1:] {
		name, _, _ := strings.Cut(a.(string), "=")
		if !strings.Contains(string(help), name+" ") {
			t.Errorf("serve has no option %s", name)
		}
	}
	if len(args) < 20 {
		t.Errorf("only %d options are made: %v", len(args), args)
	}
}

// objects reads documents of YAML, by kind, namespace and name.
func objects(t *testing.T, text []byte) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for doc := range strings.SplitSeq("\n"+string(text), "\n---\n") {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		if o == nil {
			continue
		}
		meta := o["metadata"].(map[string]any)
		namespace, _ := meta["namespace"].(string)
		all[fmt.Sprintf("%s %s/%s", o["kind"], namespace, meta["name"])] = o
	}
	return all
}

func written(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
