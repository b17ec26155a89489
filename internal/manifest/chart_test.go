package manifest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

//go:generate go test -count=1 -run ^TestChartHasTheSameRules$ -update .

// The chart gives the server what `shiplock cluster builds` and `rbac` give it, from the
// same source: its templates include this file.
func TestChartHasTheSameRules(t *testing.T) {
	builds := BuildSpace{Namespace: "builds", PriorityClass: "builds"}
	priority := builds.priority()
	parts := []struct {
		name string
		is   any
	}{
		{"builds.rules", builds.role().Rules},
		{"builds.egress", builds.network().Spec.Egress},
		{"builds.priority", map[string]any{
			"value": priority.Value, "preemptionPolicy": priority.PreemptionPolicy, "description": priority.Description,
		}},
		{"releases.rules", Access{}.rules()},
		{"releases.monitors", Access{Monitors: true}.rules()[len(Access{}.rules()):]},
	}
	var b bytes.Buffer
	b.WriteString("{{- /* Made by `make generate` from internal/manifest. */ -}}\n")
	for _, p := range parts {
		text, err := yaml.Marshal(p.is)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "{{- define \"shiplock.%s\" }}\n%s{{- end }}\n", p.name, text)
	}
	path := filepath.Join("..", "..", "deploy", "chart", "shiplock", "templates", "_rules.tpl")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	there, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(there, b.Bytes()) {
		t.Error("the chart's rules are not those of this package: run `make generate`")
	}
}
