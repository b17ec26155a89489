package catalog

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// binder fills Go values from YAML nodes by their json names. It goes on after a
// fault, and remembers where every field stands, for the checks that follow.
type binder struct {
	file string
	at   map[string]position // by field path, e.g. "spec.stack"
	// foreign says what to do about an unknown field that is another document's;
	// it may be nil, and answers "" for others.
	foreign  func(path, key string) string
	problems Problems
}

func (b *binder) add(p position, field, msg string) {
	if len(b.problems) < maxProblems {
		b.problems = append(b.problems, Problem{File: b.file, Line: p.line, Column: p.column, Field: field, Msg: msg})
	}
}

// bad reports a fault of the field at path.
func (b *binder) bad(path, msg string) {
	b.add(nearestPlace(b.at, path), strings.TrimSuffix(path, keyMark), msg)
}

// value binds n to v. Its faults are reported at n.
func (b *binder) value(n ast.Node, v reflect.Value, path string) {
	b.at[path] = place(n)
	if node, ok := v.Addr().Interface().(*ast.Node); ok {
		*node = n
		return
	}
	if _, null := n.(*ast.NullNode); null {
		b.bad(path, "the value is missing: write one, or remove the field")
		return
	}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		b.text(n, text, path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		b.value(n, v.Elem(), path)
	case reflect.Struct:
		b.object(n, v, path)
	case reflect.Map:
		b.dictionary(n, v, path)
	case reflect.Slice:
		b.list(n, v, path)
	default:
		b.scalar(n, v, path)
	}
}

func (b *binder) text(n ast.Node, v encoding.TextUnmarshaler, path string) {
	s, ok := scalarText(n)
	if !ok {
		b.bad(path, "want text here, and this is "+describe(n))
		return
	}
	if err := v.UnmarshalText([]byte(s)); err != nil {
		b.bad(path, err.Error())
	}
}

func (b *binder) scalar(n ast.Node, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		s, isText := plainText(n)
		if !isText {
			msg := "want text here, and this is " + describe(n)
			if raw, ok := scalarText(n); ok {
				msg += ": write " + strconv.Quote(raw) + " in quotes"
			}
			b.bad(path, msg)
			return
		}
		v.SetString(s)
	case reflect.Bool:
		if n, ok := n.(*ast.BoolNode); ok {
			v.SetBool(n.Value)
			return
		}
		b.bad(path, "want true or false here, and this is "+describe(n))
	case reflect.Int:
		i, ok := integer(n)
		if !ok || v.OverflowInt(i) {
			b.bad(path, "want a whole number here, and this is "+describe(n))
			return
		}
		v.SetInt(i)
	default:
		panic("catalog: no binding for " + v.Type().String()) // our own plain types only
	}
}

func (b *binder) object(n ast.Node, v reflect.Value, path string) {
	fields := fieldsOf(v.Type())
	if path == "spec" {
		delete(fields, "name") // it is metadata.name
	}
	b.entries(n, path, func(key string, at position, value ast.Node) {
		i, known := fields[key]
		if !known && b.foreign != nil {
			if msg := b.foreign(path, key); msg != "" {
				b.add(at, join(path, key), msg)
				return
			}
		}
		if !known {
			names := make([]string, 0, len(fields))
			for name := range fields {
				names = append(names, name)
			}
			b.add(at, join(path, key), fmt.Sprintf("unknown field %q%s", clip(key), DidYouMean(key, names)))
			return
		}
		b.value(value, v.Field(i), join(path, key))
	})
}

func (b *binder) dictionary(n ast.Node, v reflect.Value, path string) {
	b.entries(n, path, func(key string, at position, value ast.Node) {
		if v.IsNil() { // an empty one is as one that is not written
			v.Set(reflect.MakeMap(v.Type()))
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		b.value(value, elem, join(path, key))
		b.at[keyOf(path, key)] = at
		v.SetMapIndex(reflect.ValueOf(key), elem)
	})
}

func (b *binder) list(n ast.Node, v reflect.Value, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		b.bad(path, "want a list here, and this is "+describe(n))
		return
	}
	if len(seq.Values) > 0 { // an empty one is as one that is not written
		v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
	}
	for i, e := range seq.Values {
		b.value(e, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

// entries calls each for the entries of a map, but for the second of a key.
func (b *binder) entries(n ast.Node, path string, each func(key string, at position, value ast.Node)) {
	m, ok := n.(ast.MapNode)
	if !ok {
		b.bad(path, "want fields here, and this is "+describe(n))
		return
	}
	var seen []string
	for it := m.MapRange(); it.Next(); {
		node := it.Key()
		if _, ok := node.(*ast.MappingKeyNode); ok {
			b.add(place(node), path, "want a plain name here, and this is a composed key")
			continue
		}
		key, at := node.GetToken().Value, place(node)
		if slices.Contains(seen, key) {
			b.add(at, join(path, key), fmt.Sprintf("field %q is written twice: remove one", clip(key)))
			continue
		}
		seen = append(seen, key)
		each(key, at, it.Value())
	}
}

func fieldsOf(t reflect.Type) map[string]int {
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = i
	}
	return fields
}

// place is where a node begins; a block map begins at its first key.
func place(n ast.Node) position {
	t := n.GetToken()
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		t = m.Values[0].Key.GetToken()
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		t = m.Key.GetToken()
	}
	return position{t.Position.Line, t.Position.Column}
}

// plainText returns the text of a node that is text.
func plainText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", false
}

// scalarText returns the text of any scalar as it was written.
func scalarText(n ast.Node) (string, bool) {
	if s, ok := plainText(n); ok {
		return s, true
	}
	if _, ok := n.(ast.ScalarNode); ok {
		return n.GetToken().Value, true
	}
	return "", false
}

func integer(n ast.Node) (int64, bool) {
	i, ok := n.(*ast.IntegerNode)
	if !ok {
		return 0, false
	}
	switch v := i.Value.(type) {
	case int64:
		return v, true
	case uint64:
		return int64(v), v <= 1<<63-1
	}
	return 0, false
}

func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.SequenceNode:
		return "a list"
	case ast.MapNode:
		return "a map"
	case *ast.StringNode:
		return "the text " + strconv.Quote(clip(n.Value))
	case *ast.LiteralNode:
		return "a block of text"
	case *ast.BoolNode:
		return "the truth value " + n.GetToken().Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + clip(n.GetToken().Value)
	}
	return "something else"
}

// keyOf is the path under which the place of a map's key is kept.
func keyOf(path, key string) string { return join(path, key) + keyMark }

// keyMark cannot be in a field's name.
const keyMark = "\x00"

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// clip shortens what is repeated to the user.
func clip(s string) string {
	const most = 60
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}
