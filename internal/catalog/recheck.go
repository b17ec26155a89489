package catalog

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// recheck holds a document that came without its file to the same rules, and
// returns it with its spec in canonical form.
func recheck(d delivery.Document) (delivery.Document, Problems) {
	k, known := lookUp(d.Kind)
	if !known {
		return d, Problems{{File: ref(d), Field: "kind", Msg: unknownKind(d.Kind)}}
	}
	return k.recheck(d)
}

func respec[T any](d delivery.Document, check func(name string, spec T, bad report)) (delivery.Document, Problems) {
	var problems Problems
	bad := func(path, msg string) {
		if len(problems) < maxProblems {
			problems = append(problems, Problem{File: ref(d), Field: strings.TrimSuffix(path, keyMark), Msg: msg})
		}
	}
	if d.Name == "" {
		bad("metadata.name", "metadata.name is missing: every document has a name")
	}
	var v T
	decoder := json.NewDecoder(bytes.NewReader(d.Spec))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		bad("spec", "the spec cannot be read: "+strings.TrimPrefix(err.Error(), "json: "))
		return d, problems
	}
	check(d.Name, v, bad)
	return encode(d.Kind, d.Name, v), problems
}
