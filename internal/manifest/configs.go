package manifest

import (
	"slices"

	"github.com/shiplock/shiplock/internal/delivery"
)

// contentNames are the names, by their content, of those ConfigMaps of the manifests that
// pods refer to: then each version has its own, and a change of one starts new pods.
func (l *layer) contentNames(deployment Object) map[string]string {
	wanted := map[string]bool{}
	note := func(ref map[string]any) {
		if name, ok := ref["name"].(string); ok {
			wanted[name] = true
		}
	}
	eachConfig(deployment.Object, note)
	for _, o := range l.beside {
		if o.GetKind() == "CronJob" {
			eachConfig(o.Object, note)
		}
	}
	names := map[string]string{}
	for _, o := range l.beside {
		if o.GetKind() == "ConfigMap" && wanted[o.GetName()] {
			names[o.GetName()] = contentName(o)
		}
	}
	return names
}

// contentName is a name with a hash of what an object holds.
func contentName(o Object) string {
	const digits = 10
	sum := delivery.HashJSON([]any{o.Object["data"], o.Object["binaryData"]})
	return o.GetName() + "-" + string(sum[len("sha256:"):][:digits])
}

// renameConfigs has everything in v refer to ConfigMaps by their new names.
func renameConfigs(v any, names map[string]string) {
	eachConfig(v, func(ref map[string]any) {
		if old, ok := ref["name"].(string); ok && names[old] != "" {
			ref["name"] = names[old]
		}
	})
}

// eachConfig calls visit with each reference of a pod to a ConfigMap.
func eachConfig(v any, visit func(ref map[string]any)) {
	each(v, func(name string, of map[string]any) {
		if ref, ok := of[name].(map[string]any); ok && slices.Contains(configRefs[:], name) {
			visit(ref)
		}
	})
}

// configRefs are the fields by which pods refer to ConfigMaps.
var configRefs = [...]string{"configMap", "configMapRef", "configMapKeyRef"}
