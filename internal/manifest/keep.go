package manifest

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/shiplock/shiplock/internal/delivery"
)

// kept are the fields of the standard's objects that no manifest changes: they decide
// which version serves, and how much of it there is.
var kept = map[string][][]string{
	"Deployment": {{"spec", "replicas"}, {"spec", "selector"}, {"spec", "strategy"}, {"spec", "revisionHistoryLimit"}},
	"Service":    {{"spec", "selector"}},
	"HorizontalPodAutoscaler": {
		{"spec", "scaleTargetRef"}, {"spec", "minReplicas"}, {"spec", "maxReplicas"},
	},
	"PodDisruptionBudget": {{"spec", "selector"}},
	"ServiceMonitor":      {{"spec", "selector"}},
}

// keep puts back what is the standard's to say.
func (l *layer) keep(o, standard Object) error {
	if o.GetKind() == "Service" {
		if err := l.checkService(o); err != nil {
			return err
		}
	}
	for _, path := range kept[o.GetKind()] {
		value, _, _ := unstructured.NestedFieldCopy(standard.Object, path...)
		if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
			return delivery.Wrap(delivery.Invalid, fmt.Sprintf("the manifest %s cannot be laid over the standard's", called(o)), err)
		}
	}
	if o.GetKind() == "Deployment" {
		return l.keepPods(o, standard)
	}
	return nil
}

// keepPods puts back the labels by which pods are known, and the App's own container: its
// image, and the ports that the Service leads to.
func (l *layer) keepPods(o, standard Object) error {
	for _, field := range []string{"labels", "annotations"} {
		path := []string{"spec", "template", "metadata", field}
		theirs, _, _ := unstructured.NestedStringMap(o.Object, path...)
		ours, _, _ := unstructured.NestedStringMap(standard.Object, path...)
		if err := unstructured.SetNestedStringMap(o.Object, joined(theirs, ours), path...); err != nil {
			return delivery.Wrap(delivery.Invalid, fmt.Sprintf("the manifest %s cannot be laid over the standard's", called(o)), err)
		}
	}
	at := []string{"spec", "template", "spec", "containers"}
	containers, _, _ := unstructured.NestedSlice(o.Object, at...)
	originals, _, _ := unstructured.NestedSlice(standard.Object, at...)
	original := containerOf(originals, l.App)
	c := containerOf(containers, l.App)
	if c == nil {
		return delivery.E(delivery.Invalid, fmt.Sprintf("the manifest %s has no container %s: name the app's container so", called(o), l.App))
	}
	c["image"], c["imagePullPolicy"] = original["image"], original["imagePullPolicy"]
	ports, _ := c["ports"].([]any)
	if all := keepPorts(original["ports"], ports); len(all) > 0 {
		c["ports"] = all
	}
	return unstructured.SetNestedSlice(o.Object, containers, at...)
}

func containerOf(list []any, name string) map[string]any {
	for _, c := range list {
		if fields, ok := c.(map[string]any); ok && fields["name"] == name {
			return fields
		}
	}
	return nil
}

// keepPorts are the standard's ports, and those beside them that have another name and
// number.
func keepPorts(standard any, theirs []any) []any {
	all, _ := standard.([]any)
	for _, p := range theirs {
		port, ok := p.(map[string]any)
		if !ok {
			continue
		}
		taken := false
		for _, other := range all {
			o, _ := other.(map[string]any)
			taken = taken || o["name"] == port["name"] || fmt.Sprint(o["containerPort"]) == fmt.Sprint(port["containerPort"])
		}
		if !taken {
			all = append(all, port)
		}
	}
	return all
}

// settle makes an object that stands beside the standard's fit them.
func (l *layer) settle(o Object) error {
	switch o.GetKind() {
	case "Service":
		return l.settleService(o)
	case "NetworkPolicy": // the App's own pods are all that it decides on
		return unstructured.SetNestedField(o.Object, l.App, "spec", "podSelector", "matchLabels", "app")
	case "CronJob":
		replaceImage(o.Object, l.pod.image())
		renameConfigs(o.Object, l.configs)
		// The App's Service takes every pod with the label app: these must have none.
		labels, _, _ := unstructured.NestedStringMap(o.Object, jobPods("metadata", "labels")...)
		if labels["app"] == l.App {
			unstructured.RemoveNestedField(o.Object, jobPods("metadata", "labels", "app")...)
		}
	}
	return l.checkObject(o)
}

func jobPods(path ...string) []string {
	return append([]string{"spec", "jobTemplate", "spec", "template"}, path...)
}

// settleService has a Service beside the App's own lead to the same pods.
func (l *layer) settleService(o Object) error {
	if err := l.checkService(o); err != nil {
		return err
	}
	theirs, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector")
	if len(theirs) == 0 {
		return nil // it leads out of the cluster, or to where somebody writes
	}
	selector := l.served()
	return unstructured.SetNestedStringMap(o.Object, selector, "spec", "selector")
}

// placeholder stands for the App's image in manifests.
const placeholder = "${image}"

// replaceImage puts the App's image where the manifests have its placeholder.
func replaceImage(v any, image string) {
	each(v, func(name string, of map[string]any) {
		if name == "image" && of[name] == placeholder {
			of[name] = image
		}
	})
}

// each calls visit with all fields, at any depth.
func each(v any, visit func(name string, of map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		for name, field := range v {
			visit(name, v)
			each(field, visit)
		}
	case []any:
		for _, element := range v {
			each(element, visit)
		}
	}
}
