package catalog

import (
	"encoding"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// The pages of docs/spec name every field, and their examples are accepted.
func TestSpecPagesAreTrue(t *testing.T) {
	for page, kind := range map[string]reflect.Type{
		"app": reflect.TypeFor[delivery.App](), "stack": reflect.TypeFor[delivery.Stack](), "environment": reflect.TypeFor[delivery.Environment](),
		"channel":         reflect.TypeFor[delivery.Channel](),
		"cluster":         reflect.TypeFor[delivery.Cluster](),
		"repository-file": reflect.TypeFor[delivery.Exceptions](),
		"access":          reflect.TypeFor[delivery.Binding](),
		"retention":       reflect.TypeFor[delivery.Retention](),
		"window":          reflect.TypeFor[delivery.Window](),
		"calendar":        reflect.TypeFor[delivery.Calendar](),
		"approval":        reflect.TypeFor[delivery.ApprovalPolicy](),
		"delegation":      reflect.TypeFor[delivery.Delegation](),
	} {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile("../../docs/spec/" + page + ".md")
			if err != nil {
				t.Fatal(err)
			}
			for _, field := range fieldNames(kind, "") {
				if field != "name" && !strings.Contains(string(text), "`"+field) {
					t.Errorf("%s.md does not say what %s is", page, field)
				}
			}
			for _, block := range yamlBlock.FindAllSubmatch(text, -1) {
				parse := func() error { _, err := Parse(page+".md", block[1]); return err }
				if page == "repository-file" {
					parse = func() error { _, err := ParseRepository(page+".md", block[1]); return err }
				}
				if err := parse(); err != nil {
					t.Errorf("the example is refused:\n%v", err)
				}
			}
		})
	}
}

// fieldNames lists the scalar fields of a spec as the pages write them.
func fieldNames(t reflect.Type, path string) []string {
	switch t.Kind() {
	case reflect.Pointer:
		return fieldNames(t.Elem(), path)
	case reflect.Map:
		if t.Elem().Kind() == reflect.Struct {
			return fieldNames(t.Elem(), path+".*")
		}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct && !t.Elem().Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
			return fieldNames(t.Elem(), path+"[]")
		}
	case reflect.Struct:
		if t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
			break
		}
		switch path {
		case "environments.*.strategy", "environments.*.build", "environments.*.workload", "variants[].build.steps[]", "variants[].build.pod", "variants[].runtime":
			return []string{path} // described once: for the environment, the app, the repository's file and the stack
		}
		var names []string
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			names = append(names, fieldNames(t.Field(i).Type, join(path, name))...)
		}
		return names
	}
	return []string{path}
}
