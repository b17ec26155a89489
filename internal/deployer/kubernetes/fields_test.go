package kubernetes

import (
	"encoding/json"
	"reflect"
	"testing"
)

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// What is asked for is compared with what is there by the keys of the API; what nobody
// asked for is free.
func TestDifferences(t *testing.T) {
	const have = `{
		"metadata": {"labels": {"app": "shop", "shiplock.dev/track": "stable", "team": "ours"}},
		"spec": {
			"replicas": 2,
			"ports": [{"port": 80, "protocol": "TCP", "nodePort": 31000}, {"port": 80, "protocol": "UDP"}],
			"containers": [
				{"name": "logs", "image": "web:1"},
				{"name": "shop", "image": "shop:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
					"volumeMounts": [{"name": "files", "mountPath": "/a"}, {"name": "files", "mountPath": "/b"}], "args": ["x", "y"]}
			]
		}
	}`
	for _, c := range []struct{ want, paths string }{
		{`{"metadata": {"labels": {"app": "shop"}}}`, ``},
		{`{"metadata": {"labels": {"shiplock.dev/track": "canary"}}}`, `.metadata.labels.shiplock.dev/track`},
		{`{"spec": {"replicas": 3}}`, `.spec.replicas`},
		{`{"spec": {"ports": [{"port": 80}]}}`, ``},
		{`{"spec": {"ports": [{"port": 80, "protocol": "UDP", "targetPort": 53}]}}`, `.spec.ports[port=80,protocol="UDP"].targetPort`},
		{`{"spec": {"ports": [{"port": 81}]}}`, `.spec.ports[port=81,protocol="TCP"]`},
		{`{"spec": {"containers": [{"name": "shop", "image": "shop:2"}]}}`, `.spec.containers[name="shop"].image`},
		{`{"spec": {"containers": [{"name": "shop", "env": [{"name": "B", "value": "3"}]}]}}`, `.spec.containers[name="shop"].env[name="B"].value`},
		{`{"spec": {"containers": [{"name": "shop", "volumeMounts": [{"name": "files", "mountPath": "/b"}]}]}}`, ``},
		{`{"spec": {"containers": [{"name": "shop", "args": ["x"]}]}}`, `.spec.containers[name="shop"].args`},
		{`{"spec": {"containers": [{"name": "shop", "args": ["x", "z"]}]}}`, `.spec.containers[name="shop"].args[1]`},
		{`{"spec": {"containers": [{"name": "new", "image": "new:1"}]}}`, `.spec.containers[name="new"]`},
		{`{"spec": {"strategy": {"type": "Recreate"}}}`, `.spec.strategy`},
	} {
		found := ""
		for i, d := range differences(parse(t, c.want), parse(t, have)) {
			if i > 0 {
				found += " "
			}
			found += d.path
		}
		if found != c.paths {
			t.Errorf("%s differs in %q, want %q", c.want, found, c.paths)
		}
	}
}

// Fields are found by the paths that an API server writes in a conflict.
func TestWithout(t *testing.T) {
	const object = `{
		"metadata": {"annotations": {"a.b/c": "1", "a": "2"}},
		"spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "shop", "image": "i", "env": [{"name": "A", "value": "1"}]}], "finalizers": ["x", "y"]}}}
	}`
	for path, left := range map[string]string{
		`.spec.replicas`: `{
			"metadata": {"annotations": {"a.b/c": "1", "a": "2"}},
			"spec": {"template": {"spec": {"containers": [{"name": "shop", "image": "i", "env": [{"name": "A", "value": "1"}]}], "finalizers": ["x", "y"]}}}}`,
		`.metadata.annotations.a.b/c`: `{
			"metadata": {"annotations": {"a": "2"}},
			"spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "shop", "image": "i", "env": [{"name": "A", "value": "1"}]}], "finalizers": ["x", "y"]}}}}`,
		`.spec.template.spec.containers[name="shop"].env[name="A"].value`: `{
			"metadata": {"annotations": {"a.b/c": "1", "a": "2"}},
			"spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "shop", "image": "i", "env": [{"name": "A"}]}], "finalizers": ["x", "y"]}}}}`,
		`.spec.template.spec.finalizers[="x"]`: `{
			"metadata": {"annotations": {"a.b/c": "1", "a": "2"}},
			"spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "shop", "image": "i", "env": [{"name": "A", "value": "1"}]}], "finalizers": ["y"]}}}}`,
	} {
		o := parse(t, object)
		if !without(o, path) || !reflect.DeepEqual(o, parse(t, left)) {
			t.Errorf("without %s: %s", path, text(o))
		}
	}
	for _, path := range []string{".spec.nothing", ".spec.replicas.more", `.spec.template.spec.containers[name="other"].image`, "", "spec"} {
		o := parse(t, object)
		if without(o, path) || !reflect.DeepEqual(o, parse(t, object)) {
			t.Errorf("%q was taken out: %s", path, text(o))
		}
	}
}
