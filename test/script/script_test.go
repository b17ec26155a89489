//go:build e2e

// Package script drives the real binaries as people do: every testdata/*.txtar is
// one story, told in the commands that world_test.go adds to testscript's own.
package script

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/shiplock/shiplock/test/harness"
)

// roleApp makes the test program the app that is deployed.
const roleApp = "SCRIPT_APP"

func TestMain(m *testing.M) {
	if os.Getenv(roleApp) != "" {
		serveApp()
		return
	}
	os.Exit(m.Run())
}

// serveApp says which version it is, and answers every request with the file "version"
// beside it.
func serveApp() {
	version, _ := os.ReadFile("version") // without one it is empty
	fmt.Printf("version %s is up\n", strings.TrimSpace(string(version)))
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "version") })
	if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	bin := filepath.Dir(harness.Bin(t, "shiplock"))
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			w := &world{t: t, repos: map[string]*harness.Repo{}}
			testscript.Run(t, testscript.Params{
				Files: []string{file}, RequireExplicitExec: true, RequireUniqueNames: true,
				Setup: func(env *testscript.Env) error { return w.setUp(env, bin) },
				Cmds:  w.commands(),
			})
		})
	}
}
