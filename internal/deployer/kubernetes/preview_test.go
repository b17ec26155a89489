package kubernetes

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func container(env ...any) map[string]any {
	return map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "shop", "env": env}}}}
}

func variable(name, value string) map[string]any { return map[string]any{"name": name, "value": value} }

func TestWhatComesAndWhatGoes(t *testing.T) {
	before := container(variable("LEVEL", "info"), variable("OLD", "1"))
	after := container(variable("LEVEL", "debug"), variable("NEW", "1"))
	got := map[string][2]string{}
	for _, d := range between(before, after) {
		got[d.path] = [2]string{shown(d.path, d.have), shown(d.path, d.want)}
	}
	const env = `.spec.containers[name="shop"].env`
	want := map[string][2]string{
		env + `[name="LEVEL"].value`: {`"info"`, `"debug"`},
		env + `[name="NEW"]`:         {"", `{"name":"NEW","value":"1"}`},
		env + `[name="OLD"]`:         {`{"name":"OLD","value":"1"}`, ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSecretsOfObjectsAreHidden(t *testing.T) {
	for path, v := range map[string]any{
		`.spec.template.spec.containers[name="shop"].env[name="DB_PASSWORD"].value`: "hunter2",
		`.spec.template.spec.containers[name="shop"].env[name="DB_PASSWORD"]`:       variable("DB_PASSWORD", "hunter2"),
		`.data.app.conf`: "password=hunter2",
	} {
		if got := shown(path, v); got == "" || strings.Contains(got, "hunter2") {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// What a watch says and what an answer says of the same object differ in what is empty,
// and in what the cluster counts.
func TestWhatChangesByItselfIsNoChange(t *testing.T) {
	before := map[string]any{
		"metadata": map[string]any{
			"name": "shop", "creationTimestamp": nil, "resourceVersion": "1", "generation": int64(1),
			"annotations": map[string]any{annotationApplied: "1", "deployment.kubernetes.io/revision": "1"},
		},
		"spec": map[string]any{"strategy": map[string]any{}, "replicas": int64(2)}, "status": map[string]any{"replicas": int64(2)},
	}
	after := map[string]any{
		"metadata": map[string]any{"name": "shop", "resourceVersion": "2", "generation": int64(2), "annotations": map[string]any{annotationApplied: "2"}},
		"spec":     map[string]any{"replicas": int64(2)},
	}
	if all := between(bare(before), bare(after)); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	if before["status"] == nil {
		t.Error("what the watch has seen was changed")
	}
}
