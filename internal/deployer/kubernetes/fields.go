package kubernetes

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// difference is a field that is not as it was asked for.
type difference struct {
	// path is as the API server writes it: .spec.containers[name="shop"].image.
	path       string
	want, have any
}

// differences lists what of want is otherwise in have, or not there. What want does not
// say is free. Elements of lists are matched by their key, as server-side apply does.
func differences(want, have any) []difference { return differ("", want, have) }

func differ(path string, want, have any) []difference {
	switch want := want.(type) {
	case map[string]any:
		have, ok := have.(map[string]any)
		if !ok && len(want) > 0 {
			return []difference{{path, want, nil}}
		}
		var all []difference
		for _, name := range slices.Sorted(maps.Keys(want)) {
			all = append(all, differ(path+"."+name, want[name], have[name])...)
		}
		return all
	case []any:
		return differInList(path, want, have)
	}
	if same(want, have) {
		return nil
	}
	return []difference{{path, want, have}}
}

func differInList(path string, want []any, other any) []difference {
	have, _ := other.([]any)
	var all []difference
	for i, w := range want {
		key, ok := keyOf(w)
		at := fmt.Sprintf("%s[%d]", path, i)
		var match any
		switch {
		case ok:
			at, match = path+key.String(), find(have, key)
		case len(have) != len(want): // a list that is one value
			return []difference{{path, want, other}}
		default:
			match = have[i]
		}
		all = append(all, differ(at, w, match)...)
	}
	return all
}

// find returns the element of a list that has a key, or nil.
func find(list []any, k key) any {
	for _, element := range list {
		if other, ok := keyOf(element); ok && sameKey(k, other) {
			return element
		}
	}
	return nil
}

// key names an element of a list by some of its fields.
type key []field

type field struct {
	name  string
	value any
}

func (k key) String() string {
	parts := make([]string, len(k))
	for i, f := range k {
		parts[i] = f.name + "=" + text(f.value)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// keys are what lists of the API are keyed by, beside the numbers of ports: mounts by
// path, containers, variables and volumes by name.
var keys = []string{"mountPath", "name", "topologyKey", "type"}

func keyOf(element any) (key, bool) {
	fields, ok := element.(map[string]any)
	if !ok {
		return nil, false
	}
	if port, ok := fields["containerPort"]; ok {
		return key{{"containerPort", port}, {"protocol", cmp.Or(fields["protocol"], any("TCP"))}}, true
	}
	if port, ok := fields["port"]; ok {
		return key{{"port", port}, {"protocol", cmp.Or(fields["protocol"], any("TCP"))}}, true
	}
	for _, name := range keys {
		if v, ok := fields[name]; ok {
			return key{{name, v}}, true
		}
	}
	return nil, false
}

func sameKey(a, b key) bool {
	return slices.EqualFunc(a, b, func(x, y field) bool { return x.name == y.name && same(x.value, y.value) })
}

// same compares values of JSON; numbers may be of several types.
func same(a, b any) bool { return text(a) == text(b) }

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// without takes the fields of a path, as the API server writes it, out of an object. It
// is false when there is no such field.
func without(o map[string]any, path string) bool {
	return removeFrom(o, path) == removed
}

type outcome int

const (
	absent outcome = iota
	removed
)

func removeFrom(v any, path string) outcome {
	switch v := v.(type) {
	case map[string]any:
		rest, ok := strings.CutPrefix(path, ".")
		if !ok {
			return absent
		}
		// Names may hold dots, as those of labels: the longest that fits is meant.
		for _, name := range slices.SortedFunc(maps.Keys(v), func(a, b string) int { return cmp.Compare(len(b), len(a)) }) {
			after, ok := strings.CutPrefix(rest, name)
			switch {
			case !ok || after != "" && after[0] != '.' && after[0] != '[':
				continue
			case after == "":
				delete(v, name)
				return removed
			}
			return removeInList(v, name, after)
		}
	}
	return absent
}

// removeInList goes into a field, and when that is a list into the element that the
// path names.
func removeInList(in map[string]any, name, path string) outcome {
	list, ok := in[name].([]any)
	if !ok {
		return removeFrom(in[name], path)
	}
	for i, element := range list {
		k, keyed := keyOf(element)
		named := k.String()
		if !keyed {
			named = "[=" + text(element) + "]"
		}
		after, ok := strings.CutPrefix(path, named)
		if !ok {
			continue
		}
		if after == "" {
			in[name] = slices.Delete(list, i, i+1)
			return removed
		}
		return removeFrom(element, after)
	}
	return absent
}
