package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// YAML writes objects one after the other, as kubectl takes them, without the fields
// that only a cluster fills in.
func YAML(objects []runtime.Object) ([]byte, error) {
	var b bytes.Buffer
	for i, o := range objects {
		text, err := json.Marshal(o)
		var fields map[string]any
		if err == nil {
			err = json.Unmarshal(text, &fields)
		}
		if err == nil {
			delete(fields, "status")
			text, err = yaml.Marshal(fields)
		}
		if err != nil {
			return nil, fmt.Errorf("write object %d: %w", i, err)
		}
		if i > 0 {
			b.WriteString("---\n")
		}
		b.Write(text)
	}
	return b.Bytes(), nil
}
