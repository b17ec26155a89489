//go:build e2e

// Package script drives the real binaries as people do: every testdata/*.txtar is
// one story, told in the commands that world_test.go adds to testscript's own.
package script

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/shiplock/shiplock/test/chat"
	"github.com/shiplock/shiplock/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	bin := filepath.Dir(harness.Bin(t, "shiplock"))
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			w := &world{t: t, repos: map[string]*harness.Repo{}, groups: map[string]*chat.Group{}}
			testscript.Run(t, testscript.Params{
				Files: []string{file}, RequireExplicitExec: true, RequireUniqueNames: true,
				Setup: func(env *testscript.Env) error { return w.setUp(env, bin) },
				Cmds:  w.commands(),
			})
		})
	}
}
