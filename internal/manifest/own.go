package manifest

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/shiplock/shiplock/internal/delivery"
)

// AnnotationReplace, "true", on a manifest of an App's own says that it stands in the
// place of the standard's object, and does not change it.
const AnnotationReplace = "shiplock.dev/replace"

// AnnotationFrom, "manifests", is of objects that an App's own manifests bring.
const (
	AnnotationFrom = "shiplock.dev/from"
	FromManifests  = "manifests"
)

// own are the manifests that an App brings.
type own struct {
	app string
	// patches are of the standard's objects, by kind.
	patches map[string]Object
	// beside are objects of their own, in the order in which they are written.
	beside []Object
}

// Check refuses a Revision whose own manifests cannot be released, and says why:
// Invalid.
func Check(r delivery.Revision) error {
	if r.Config.Manifests == "" {
		return nil
	}
	// Two instances, so that there is everything that manifests may change.
	_, err := Render(Place{Namespace: "check", Registry: "check"}, Shape{
		App: r.App, Env: r.Env, Stable: &Half{Revision: r, Replicas: 2}, Serve: TrackStable,
	})
	return err
}

// readOwn reads a Revision's own manifests.
func readOwn(r delivery.Revision) (own, error) {
	o := own{app: r.App, patches: map[string]Object{}}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(r.Config.Manifests)))
	for n := 1; ; n++ {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return o, nil
		}
		if err != nil {
			return own{}, delivery.Wrap(delivery.Invalid, "the app's manifests cannot be read", err)
		}
		object, err := readObject(text)
		if err != nil {
			return own{}, delivery.Wrap(delivery.Invalid, fmt.Sprintf("document %d of the app's manifests cannot be read", n), err)
		}
		if object == nil {
			continue
		}
		if err := o.add(object); err != nil {
			return own{}, err
		}
	}
}

// readObject is nil for a document that holds nothing.
func readObject(text []byte) (Object, error) {
	data, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := utiljson.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, nil
	}
	if _, ok := fields["metadata"].(map[string]any); !ok && fields["metadata"] != nil {
		return nil, errors.New("metadata is no map")
	}
	return &unstructured.Unstructured{Object: fields}, nil
}

// add sorts an object in, or refuses it.
func (o *own) add(object Object) error {
	kind, name, version := object.GetKind(), object.GetName(), object.GetAPIVersion()
	if kind == "" || name == "" || version == "" {
		return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s needs apiVersion, kind and metadata.name", called(object)))
	}
	if patched[kind] == version && name == o.app {
		if o.patches[kind] != nil {
			return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s stands there twice: keep one", called(object)))
		}
		o.patches[kind] = object
		return nil
	}
	if allowed[kind] != version {
		return impossible(o.app, object)
	}
	for _, other := range o.beside {
		if called(other) == called(object) {
			return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s stands there twice: keep one", called(object)))
		}
	}
	o.beside = append(o.beside, object)
	return nil
}

// called is how people call an object.
func called(o Object) string { return strings.TrimSpace(o.GetKind() + " " + o.GetName()) }

// patched are the kinds of the standard's objects that an App may change, and allowed
// those of which it may bring others, with the version of the API that is known of each.
var (
	patched = map[string]string{
		"Deployment": "apps/v1", "Service": "v1", "Ingress": "networking.k8s.io/v1",
		"HorizontalPodAutoscaler": "autoscaling/v2", "PodDisruptionBudget": "policy/v1", "ServiceMonitor": "monitoring.coreos.com/v1",
	}
	allowed = map[string]string{
		"ConfigMap": "v1", "Service": "v1", "Ingress": "networking.k8s.io/v1", "CronJob": "batch/v1",
		"ServiceAccount": "v1", "NetworkPolicy": "networking.k8s.io/v1", "PersistentVolumeClaim": "v1",
	}
)

// impossible says why a manifest cannot be released, and what can.
func impossible(app string, o Object) error {
	kind := o.GetKind()
	if known := cmp.Or(patched[kind], allowed[kind]); known != "" && known != o.GetAPIVersion() {
		return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s is of %s: write apiVersion %s", called(o), o.GetAPIVersion(), known))
	}
	switch kind {
	case "Secret":
		return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s is not to be stored with releases: make it in the cluster, and refer to it by its name", called(o)))
	case "StatefulSet", "DaemonSet":
		return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s cannot be released: two versions of it cannot stand side by side, as a canary and the way back need it. Make it a Deployment named %s, or keep it outside of the app", called(o), app))
	case "Deployment", "ReplicaSet", "ReplicationController", "Pod", "Job":
		return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s cannot be released: an app has one Deployment, and it is named %s. Make another App of the rest, and a command before a release workload.preDeploy", called(o), app))
	case "HorizontalPodAutoscaler", "PodDisruptionBudget", "ServiceMonitor":
		return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s is of no object of the app: name it %s, and it changes the app's own", called(o), app))
	case "Role", "RoleBinding":
		return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s gives rights in the namespace, which only those may who run the cluster: have them make it, and name its ServiceAccount under workload.serviceAccount", called(o)))
	}
	return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s cannot be released: an app may bring objects of its namespace, of the kinds ConfigMap, CronJob, Ingress, NetworkPolicy, PersistentVolumeClaim, Service and ServiceAccount, and change its own Deployment, Service, Ingress, HorizontalPodAutoscaler, PodDisruptionBudget and ServiceMonitor, named %s", called(o), app))
}
