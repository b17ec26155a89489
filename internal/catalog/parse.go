package catalog

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/shiplock/shiplock/internal/delivery"
)

// File is a file of documents as it was read.
type File struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// Parsed is one good document and where it stands. Its Manager and Version are
// empty: whoever applies it says them.
type Parsed struct {
	Document delivery.Document
	File     string
	at       map[string]position
}

// Line returns the line that the document begins at.
func (p Parsed) Line() int { return p.at[""].line }

// envelope is what every kind of document has in common.
type envelope struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   metadata `json:"metadata"`
	Spec       ast.Node `json:"spec"`
}

type metadata struct {
	Name string `json:"name"`
}

// ParseFiles reads all documents of all files, and refuses two of the same kind
// and name. The error is of kind Invalid and holds all Problems.
func ParseFiles(files []File) ([]Parsed, error) {
	var parsed []Parsed
	var problems Problems
	for _, f := range files {
		docs, ps := parse(f.Name, f.Data)
		parsed, problems = append(parsed, docs...), append(problems, ps...)
	}
	first := make(map[string]Parsed, len(parsed))
	for _, p := range parsed {
		id := ref(p.Document)
		if f, twice := first[id]; twice {
			at := p.at["metadata.name"]
			problems = append(problems, Problem{
				File: p.File, Line: at.line, Column: at.column, Field: "metadata.name",
				Msg: fmt.Sprintf("%s is already written at %s:%d: remove one", id, f.File, f.Line()),
			})
			continue
		}
		first[id] = p
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return parsed, nil
}

// Parse reads all documents of one YAML or JSON file. The error is of kind Invalid
// and holds all Problems.
func Parse(file string, data []byte) ([]Parsed, error) {
	return ParseFiles([]File{{file, data}})
}

func parse(file string, data []byte) ([]Parsed, Problems) {
	nodes, problems := syntax(file, data)
	var parsed []Parsed
	for _, n := range nodes {
		b := &binder{file: file, at: make(map[string]position), foreign: refusedField}
		doc := b.document(n)
		if len(b.problems) > 0 {
			problems = append(problems, b.problems...)
			continue
		}
		parsed = append(parsed, Parsed{Document: doc, File: file, at: b.at})
	}
	return parsed, problems
}

// refusedField says why a field that people know from Kubernetes is not one here.
func refusedField(path, key string) string {
	if strings.Contains(path, ".volumes[") && key == "hostPath" {
		return "a build sees no folder of its node, since it could change other builds there: write claim, configMap, secret or empty"
	}
	return ""
}

func (b *binder) document(n ast.Node) delivery.Document {
	var e envelope
	b.value(n, reflect.ValueOf(&e).Elem(), "")
	if _, ok := n.(ast.MapNode); !ok {
		return delivery.Document{}
	}
	b.head(e)
	if e.Spec == nil {
		b.bad("spec", "spec is missing")
		return delivery.Document{}
	}
	k, known := lookUp(e.Kind)
	if !known {
		b.bad("kind", unknownKind(e.Kind))
		return delivery.Document{}
	}
	return k.bind(b, e)
}

func (b *binder) head(e envelope) {
	switch e.APIVersion {
	case APIVersion:
	case "":
		b.bad("apiVersion", "apiVersion is missing: write "+APIVersion)
	default:
		b.bad("apiVersion", fmt.Sprintf("apiVersion is %q: write %s", clip(e.APIVersion), APIVersion))
	}
	if e.Metadata.Name == "" {
		b.bad("metadata.name", "metadata.name is missing: every document has a name")
	}
}

// spec binds and checks the spec of one kind.
func spec[T any](b *binder, e envelope, check func(name string, spec T, bad report)) delivery.Document {
	var v T
	before := len(b.problems)
	b.value(e.Spec, reflect.ValueOf(&v).Elem(), "spec")
	bad := b.bad
	if faulty := b.problems[before:]; len(faulty) > 0 {
		bad = b.badBut(faulty)
	}
	check(e.Metadata.Name, v, bad)
	return encode(e.Kind, e.Metadata.Name, v)
}

// badBut reports faults of fields that were written and could be read: what is
// missing or empty may only be so because of the faults found before.
func (b *binder) badBut(faulty Problems) report {
	unread := make(map[string]bool, len(faulty))
	for _, p := range faulty {
		unread[p.Field] = true
	}
	return func(path, msg string) {
		if _, written := b.at[path]; written && !unread[path] {
			b.bad(path, msg)
		}
	}
}
