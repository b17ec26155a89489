package said

import "strings"

// Missing is an object that a pod names and its namespace lacks, or one without a key.
type Missing struct {
	// Kind is ConfigMap, Secret, ServiceAccount or PersistentVolumeClaim.
	Kind string
	// Name may be empty where a component does not say it.
	Name string
	// Key is empty when the object itself is missing.
	Key string
}

// kinds are what components call objects.
var kinds = []struct{ word, kind string }{
	{"configmap", "ConfigMap"},
	{"secret", "Secret"},
	{"serviceaccount", "ServiceAccount"},
	{"persistentvolumeclaim", "PersistentVolumeClaim"},
}

// ReadMissing reads what the kubelet, the scheduler and the API server say of an object
// that is not there:
//
//	configmap "settings" not found
//	couldn't find key LEVEL in ConfigMap shop/settings
//	references non-existent secret key: password
//	configmap references non-existent config key: level
//	error looking up service account shop/shop: serviceaccount "shop" not found
func ReadMissing(words string) (Missing, bool) {
	for _, k := range kinds {
		if name, ok := between(words, k.word+` "`, `" not found`); ok && !strings.Contains(name, `"`) && Line(name) != "" {
			return Missing{Kind: k.kind, Name: Line(name)}, true
		}
	}
	if key, ok := between(words, "couldn't find key ", " in "); ok {
		_, object, _ := strings.Cut(words, "couldn't find key "+key+" in ")
		kind, rest, _ := strings.Cut(object, " ")
		name, _, _ := strings.Cut(rest, " ")
		m := Missing{Kind: Line(kind), Name: Line(name[strings.LastIndexByte(name, '/')+1:]), Key: Line(key)}
		return m, m.Kind != "" && m.Key != ""
	}
	for _, k := range []struct{ part, kind string }{{"references non-existent secret key: ", "Secret"}, {"references non-existent config key: ", "ConfigMap"}} {
		if _, key, ok := strings.Cut(words, k.part); ok && Line(key) != "" {
			return Missing{Kind: k.kind, Key: Line(key)}, true
		}
	}
	return Missing{}, false
}
