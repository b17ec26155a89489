package manifest

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// layer is a half with the manifests that its revision brings.
type layer struct {
	half
	own
	// configs are the names of its ConfigMaps, by those in the manifests.
	configs map[string]string
}

// lay lays the App's own manifests over the standard's objects, and puts the others
// before them: pods may refer to those. Each Deployment has those of its own revision;
// what there is once has those of the leading one.
func (r renderer) lay(standard []Object) ([]Object, error) {
	lead, layers, err := r.layers()
	if err != nil || lead == nil {
		return standard, err
	}
	var laid []Object
	for _, o := range standard {
		l := lead
		if other := layers[Track(o.GetLabels()[LabelTrack])]; other != nil && o.GetLabels()[LabelTrack] != "" {
			l = other
		}
		if o, err = l.over(o); err != nil {
			return nil, err
		}
		laid = append(laid, o)
	}
	beside, err := lead.others()
	if err != nil {
		return nil, err
	}
	for _, track := range []Track{TrackStable, TrackCanary} {
		if l := layers[track]; l != nil && l != lead {
			more, err := l.others()
			if err != nil {
				return nil, err
			}
			beside = append(beside, needed(more, beside)...)
		}
	}
	return append(beside, laid...), nil
}

// layers are those of the halves, and the leading one; nil when no revision brings any
// manifests.
func (r renderer) layers() (lead *layer, layers map[Track]*layer, err error) {
	first, ok := r.leading()
	layers = map[Track]*layer{}
	brings := false
	for _, h := range r.halves() {
		o, err := readOwn(h.Revision)
		if err != nil {
			return nil, nil, err
		}
		l := &layer{half: h, own: o}
		if err := l.check(); err != nil {
			return nil, nil, err
		}
		layers[h.track] = l
		brings = brings || h.Revision.Config.Manifests != ""
	}
	if !ok || !brings {
		return nil, nil, nil
	}
	return layers[first.track], layers, nil
}

// over returns a standard's object as the manifests change it.
func (l *layer) over(standard Object) (Object, error) {
	patch := l.patches[standard.GetKind()]
	fields := standard.Object
	switch {
	case l.Revision.Config.Manifests == "", patch == nil && standard.GetKind() != "Deployment":
		return standard, nil
	case patch == nil:
	case patch.GetAnnotations()[AnnotationReplace] == "true":
		fields = patch.Object
	default:
		fields = merged(standard.Object, patch.Object)
	}
	o := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(fields)}
	if err := normalize(o); err != nil {
		return nil, err
	}
	keepMeta(o, standard)
	if err := l.keep(o, standard); err != nil {
		return nil, err
	}
	if o.GetKind() == "Deployment" {
		replaceImage(o.Object, l.pod.image())
		l.configs = l.contentNames(o)
		renameConfigs(o.Object, l.configs)
	}
	return o, l.checkObject(o)
}

// keepMeta leaves an object with the standard's name, labels and annotations, beside
// those of the manifests.
func keepMeta(o, standard Object) {
	annotations := o.GetAnnotations()
	delete(annotations, AnnotationReplace)
	o.Object["metadata"] = map[string]any{"name": standard.GetName(), "namespace": standard.GetNamespace()}
	o.SetLabels(joined(o.GetLabels(), standard.GetLabels()))
	o.SetAnnotations(joined(annotations, standard.GetAnnotations()))
}

func joined(under, over map[string]string) map[string]string {
	all := maps.Clone(under)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, over)
	return all
}

// others are the objects that the manifests bring beside the standard's. An Ingress of
// the App's name is one where the standard has none.
func (l *layer) others() ([]Object, error) {
	list := slices.Clone(l.beside)
	if i := l.patches["Ingress"]; i != nil && l.pod.workload.Ingress.Host == "" {
		list = append(list, i)
	}
	var all []Object
	for _, from := range list {
		o := from.DeepCopy()
		if err := normalize(o); err != nil {
			return nil, err
		}
		meta := l.meta(o.GetName())
		if name := l.configs[o.GetName()]; o.GetKind() == "ConfigMap" && name != "" {
			meta.Name = name
		}
		meta.Annotations[AnnotationFrom] = FromManifests
		plain := &unstructured.Unstructured{Object: map[string]any{}}
		plain.SetName(meta.Name)
		plain.SetNamespace(meta.Namespace)
		plain.SetLabels(meta.Labels)
		plain.SetAnnotations(meta.Annotations)
		keepMeta(o, plain)
		if err := l.settle(o); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// needed are the objects of a half that does not lead which its pods need, unless the
// leading one has them.
func needed(more, there []Object) []Object {
	return slices.DeleteFunc(more, func(o Object) bool {
		switch o.GetKind() {
		case "ConfigMap", "ServiceAccount", "PersistentVolumeClaim":
			return slices.ContainsFunc(there, func(other Object) bool { return called(other) == called(o) })
		}
		return true
	})
}
