package manifest

import (
	"fmt"
	"slices"
)

// directive is the field of a list's element that has it removed, as in patches for
// kubectl: $patch: delete.
const directive = "$patch"

// merged returns base with over laid over it: maps field by field, where null removes
// one; lists whose elements have a name in Kubernetes element by element; other lists, and
// values, as a whole. Neither is changed.
func merged(base, over map[string]any) map[string]any {
	all := make(map[string]any, len(base)+len(over))
	for name, field := range base {
		all[name] = field
	}
	for name, field := range over {
		switch field := field.(type) {
		case nil:
			delete(all, name)
		case map[string]any:
			under, _ := all[name].(map[string]any)
			all[name] = merged(under, field)
		case []any:
			under, _ := all[name].([]any)
			all[name] = mergedList(under, field, listKey(name, field))
		default:
			all[name] = field
		}
	}
	return all
}

// keys are the fields by which elements of lists are known, by the lists' names.
var keys = map[string]string{
	"containers": "name", "initContainers": "name", "env": "name", "volumes": "name", "imagePullSecrets": "name",
	"volumeMounts": "mountPath", "volumeDevices": "devicePath", "hostAliases": "ip", "topologySpreadConstraints": "topologyKey",
}

// listKey returns the key of a list; "" when it is one value. Ports of containers and those
// of Services have different ones.
func listKey(list string, elements []any) string {
	if list != "ports" {
		return keys[list]
	}
	if len(elements) > 0 {
		if first, ok := elements[0].(map[string]any); ok && first["containerPort"] != nil {
			return "containerPort"
		}
	}
	return "port"
}

// mergedList lays elements over those with the same key, and adds the others behind.
func mergedList(base, over []any, key string) []any {
	if key == "" {
		return over
	}
	all := slices.Clone(base)
	for _, element := range over {
		fields, ok := element.(map[string]any)
		if !ok {
			return over // not as Kubernetes would have it, which is said later
		}
		i := slices.IndexFunc(all, func(other any) bool {
			there, ok := other.(map[string]any)
			return ok && there[key] != nil && fmt.Sprint(there[key]) == fmt.Sprint(fields[key]) // texts and numbers
		})
		switch {
		case fields[directive] == "delete" && i >= 0:
			all = slices.Delete(all, i, i+1)
		case fields[directive] == "delete":
		case i >= 0:
			all[i] = merged(all[i].(map[string]any), fields)
		default:
			all = append(all, merged(nil, fields))
		}
	}
	return all
}
