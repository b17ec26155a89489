//go:build e2e

package standard

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// unreachable is what npm says when there is no way to its registry.
var unreachable = regexp.MustCompile(`ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH`)

// Each package manager installs the workspace from its lock file, and what they leave
// gives an image in which the app finds its packages: also one that is used without
// being named, as the manager lets it.
func TestNodeRecipeByPackageManager(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/managers.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ says, cache string }{
		"pnpm":  {" and pnpm 10.", ".local/share/pnpm/store"},
		"yarn":  {" and yarn 1.22.22", ".cache/yarn"},
		"berry": {" and yarn 4.18.1", ".yarn/berry/cache"},
	} {
		t.Run(name, func(t *testing.T) {
			files := make(map[string][]byte)
			for _, f := range archive.Files {
				if whose, path, _ := strings.Cut(f.Name, "/"); whose == "all" || whose == name {
					files[path] = f.Data
				}
			}
			var outputs [2][]string
			home := t.TempDir() // what npm has fetched is for both
			for i := range outputs {
				w := newWorkspace(t, "nodejs-20", files)
				w.home, w.dir = home, filepath.Join(w.dir, "api")
				out, err := w.step("setup")
				if err != nil && unreachable.MatchString(out) {
					t.Skip("npm's registry is out of reach")
				}
				if err != nil || !strings.Contains(out, c.says) {
					t.Fatalf("setup: %v\n%s", err, out)
				}
				if out := w.must("install"); strings.Contains(out, "npm warn") {
					t.Errorf("install says:\n%s", out)
				}
				w.must("build")
				w.must("package")
				outputs[i] = w.output()
				if i == 0 {
					started(t, filepath.Join(w.dir, "start_env"), "b by a b by a\n")
				}
			}
			if _, err := os.Stat(filepath.Join(home, c.cache)); err != nil {
				t.Errorf("the cache that the stack declares is not used: %v", err)
			}
			all := strings.Join(outputs[0], "\n")
			if !slices.Equal(outputs[0], outputs[1]) || strings.Contains(all, "tool") || strings.Contains(all, "yarn") {
				t.Errorf("two builds of the same source:\n%q\n%q", outputs[0], outputs[1])
			}
		})
	}
}

// started runs the app of an image by the stack's start script.
func started(t *testing.T, dir, want string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "start.sh"), []byte(builtins(t).Stacks["nodejs-20"].Runtime.Start), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "start.sh", "dev")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != want {
		t.Errorf("the packaged app: %v\n%s", err, out)
	}
}
