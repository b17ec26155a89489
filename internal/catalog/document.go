package catalog

import (
	"encoding/json"
	"fmt"

	"github.com/shiplock/shiplock/internal/delivery"
)

// AppDocument, StackDocument and EnvironmentDocument return the document of a
// value, with its spec in canonical form: equal values have equal bytes.
func AppDocument(a delivery.App) delivery.Document { return encode(KindApp, a.Name, a) }

// StackDocument is like AppDocument.
func StackDocument(s delivery.Stack) delivery.Document { return encode(KindStack, s.Name, s) }

// EnvironmentDocument is like AppDocument.
func EnvironmentDocument(e delivery.Environment) delivery.Document {
	return encode(KindEnvironment, e.Name, e)
}

// encode goes through a map, which drops the name (it is the document's) and sorts
// all fields.
func encode(kind, name string, spec any) delivery.Document {
	raw := mustMarshal(spec)
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		panic("catalog: a spec is not an object: " + err.Error())
	}
	delete(fields, "name")
	return delivery.Document{Kind: kind, Name: name, Spec: mustMarshal(fields)}
}

func mustMarshal(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("catalog: value cannot be encoded: " + err.Error()) // our own plain types only
	}
	return raw
}

// decode reads a stored document back. It is lenient, so that a newer version's
// fields do not stop an older program.
func decode(d delivery.Document, into any) error {
	if err := json.Unmarshal(d.Spec, into); err != nil {
		return delivery.Wrap(delivery.Internal, "the stored document "+ref(d)+" is damaged: apply it again", err)
	}
	return nil
}

// ref is how people name a document: "App/shop".
func ref(d delivery.Document) string { return fmt.Sprintf("%s/%s", d.Kind, clip(d.Name)) }
