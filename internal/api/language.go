package api

import (
	"reflect"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// In returns an answer with everything that Shiplock says in it in a language: its
// Causes, and the fields with the tag text:"ours". What it was made of stays.
func In[T any](l phrase.Lang, answer T) T {
	if l != phrase.Chinese {
		return answer
	}
	said, changed := in(l, reflect.ValueOf(&answer).Elem())
	if !changed {
		return answer
	}
	return said.Interface().(T)
}

// in copies what it changes.
func in(l phrase.Lang, v reflect.Value) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return inside(l, v)
	case reflect.Struct:
		return inStruct(l, v)
	case reflect.Slice:
		return inSlice(l, v)
	case reflect.Map:
		return inMap(l, v)
	}
	return v, false
}

func inside(l phrase.Lang, v reflect.Value) (reflect.Value, bool) {
	if v.IsNil() {
		return v, false
	}
	said, changed := in(l, v.Elem())
	if !changed || v.Kind() == reflect.Interface {
		return said, changed
	}
	p := reflect.New(said.Type())
	p.Elem().Set(said)
	return p, true
}

func inStruct(l phrase.Lang, v reflect.Value) (reflect.Value, bool) {
	if c, ok := v.Interface().(delivery.Cause); ok {
		return reflect.ValueOf(c.In(l)), true
	}
	if !strings.HasPrefix(v.Type().PkgPath(), ownPackages) {
		return v, false
	}
	out, copied := v, false
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		said, changed := v.Field(i), false
		if f.Tag.Get("text") == "ours" {
			said, changed = ours(l, said)
		} else {
			said, changed = in(l, said)
		}
		if !changed {
			continue
		}
		if !copied {
			copied = true
			out = reflect.New(v.Type()).Elem()
			out.Set(v)
		}
		out.Field(i).Set(said)
	}
	return out, copied
}

var ownPackages = strings.TrimSuffix(reflect.TypeFor[delivery.Cause]().PkgPath(), "delivery")

// ours says a string, or each of a list.
func ours(l phrase.Lang, v reflect.Value) (reflect.Value, bool) {
	if v.Kind() == reflect.String {
		return reflect.ValueOf(phrase.In(l, v.String())).Convert(v.Type()), true
	}
	list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	for i := range v.Len() {
		list.Index(i).SetString(phrase.In(l, v.Index(i).String()))
	}
	return list, !v.IsNil()
}

func inSlice(l phrase.Lang, v reflect.Value) (reflect.Value, bool) {
	if k := v.Type().Elem().Kind(); k <= reflect.Complex128 || k == reflect.String {
		return v, false
	}
	out, copied := v, false
	for i := range v.Len() {
		said, changed := in(l, v.Index(i))
		if !changed {
			continue
		}
		if !copied {
			copied = true
			out = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(out, v)
		}
		out.Index(i).Set(said)
	}
	return out, copied
}

func inMap(l phrase.Lang, v reflect.Value) (reflect.Value, bool) {
	out, copied := v, false
	for _, key := range v.MapKeys() {
		said, changed := in(l, v.MapIndex(key))
		if !changed {
			continue
		}
		if !copied {
			copied = true
			out = reflect.MakeMapWithSize(v.Type(), v.Len())
			for _, k := range v.MapKeys() {
				out.SetMapIndex(k, v.MapIndex(k))
			}
		}
		out.SetMapIndex(key, said)
	}
	return out, copied
}
