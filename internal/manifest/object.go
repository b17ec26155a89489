package manifest

import (
	"fmt"
	"maps"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Object is one to apply: it has the fields that we decide on, and no others.
type Object = *unstructured.Unstructured

// typed has its fields by name in Go.
type typed interface {
	runtime.Object
	metav1.Object
}

// plain turns objects into those to apply.
func plain(list []typed) ([]Object, error) {
	objects := make([]Object, len(list))
	for i, o := range list {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", o.GetName(), err)
		}
		delete(fields, "status")
		withoutNull(fields)
		objects[i] = &unstructured.Unstructured{Object: fields}
	}
	return objects, nil
}

// withoutNull removes what Go's types write as null: applied, it would be ours.
func withoutNull(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, field := range v {
			if field == nil {
				delete(v, name)
			}
			withoutNull(field)
		}
	case []any:
		for _, element := range v {
			withoutNull(element)
		}
	}
}

// labels are on every object of the App.
func labels(app, env, team string) map[string]string {
	l := map[string]string{
		"app": app, "app.kubernetes.io/name": app, "app.kubernetes.io/managed-by": ManagedBy, LabelEnv: env,
	}
	if team != "" {
		l[LabelTeam] = team
	}
	return l
}

// meta is of an object, and never of the pods in it: the generation changes with each
// wish, and would replace them all.
func (r renderer) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: r.Namespace, Labels: labels(r.App, r.Env, r.Team),
		Annotations: map[string]string{AnnotationGeneration: strconv.FormatInt(r.Generation, 10)},
	}
}

func kind(apiVersion, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
}

// with returns m with entries added.
func with(m map[string]string, entries ...string) map[string]string {
	all := maps.Clone(m)
	for i := 0; i+1 < len(entries); i += 2 {
		all[entries[i]] = entries[i+1]
	}
	return all
}
