package demo

import (
	"bytes"
	"slices"
	"testing"

	"github.com/shiplock/shiplock/examples"
)

// Every example has its story, and is what the story expects.
func TestScripts(t *testing.T) {
	var told []string
	for _, s := range scripts() {
		told = append(told, s.app)
		files, err := examples.Repository(s.app)
		if err != nil {
			t.Fatal(err)
		}
		for what, e := range map[string]edit{"broken": s.broken, "crashing": s.crashing} {
			changed, err := e.apply(files)
			if err != nil || bytes.Equal(changed[e.file], files[e.file]) {
				t.Errorf("%s, %s: %v", s.app, what, err)
			}
		}
		if _, err := s.lacking(t.Context()); err != nil {
			t.Error(err)
		}
	}
	slices.Sort(told)
	if names := slices.Sorted(slices.Values(examples.Names())); !slices.Equal(told, names) {
		t.Errorf("stories are told of %v, examples are %v", told, names)
	}
}

func TestLackingTool(t *testing.T) {
	s := script{app: "go-hello", tools: []string{"no-such-tool"}}
	why, err := s.lacking(t.Context())
	if want := "stack go-1.26 needs no-such-tool, which is not installed where the build runs"; err != nil || why != want {
		t.Errorf("%q, %v, want %q", why, err, want)
	}
}
