//go:build e2e

package standard

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/examples"
	"github.com/shiplock/shiplock/internal/quality"
)

// workspace is an App's folder in which a stack's steps run as a runner runs them.
type workspace struct {
	t    *testing.T
	dir  string
	home string // "" is the developer's
	plan string
	env  []string
}

func newWorkspace(t *testing.T, stack string, files map[string][]byte) workspace {
	t.Helper()
	for _, tool := range builtins(t).Stacks[stack].Build.Tools {
		if _, err := exec.LookPath(tool.Name); err != nil {
			t.Skipf("%s is not installed", tool.Name)
		}
	}
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w := workspace{t: t, dir: dir, plan: stack}
	if l := builtins(t).Stacks[stack].Language; l == "nodejs" || l == "php" {
		w.home = t.TempDir() // steps tell each other things there; others' caches are in the developer's
	}
	return w
}

// step runs one step and returns its output.
func (w workspace) step(name string) (string, error) {
	w.t.Helper()
	for _, s := range mustPlan(w.t, input(w.t, w.plan)).Steps {
		if s.Name != name {
			continue
		}
		cmd := exec.Command("sh", "-e", "-c", s.Run)
		cmd.Dir = w.dir
		cmd.Env = append(os.Environ(), "SHIPLOCK_APP=shop", "GOFLAGS=", "GOWORK=off", "npm_config_update_notifier=false")
		for k, v := range s.Env {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
		cmd.Env = append(cmd.Env, w.env...)
		if w.home != "" {
			cmd.Env = append(cmd.Env, "HOME="+w.home, "PATH="+filepath.Join(w.home, ".local/bin")+":"+os.Getenv("PATH"))
		}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	w.t.Fatalf("no step %s", name)
	return "", nil
}

func (w workspace) must(name string) string {
	w.t.Helper()
	out, err := w.step(name)
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return out
}

// run runs a command that must succeed in the folder.
func (w workspace) run(args []string, env ...string) string {
	w.t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = w.dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return string(out)
}

// output returns the mode and hash of every file in start_env, and where links lead.
func (w workspace) output() []string {
	w.t.Helper()
	root := filepath.Join(w.dir, "start_env")
	var list []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.Type() == fs.ModeSymlink {
			to, err := os.Readlink(path)
			list = append(list, rel+" -> "+to)
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		list = append(list, fmt.Sprintf("%s %s %x", rel, info.Mode(), sha256.Sum256(data)))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func example(t *testing.T, name string) map[string][]byte {
	t.Helper()
	files, err := examples.Repository(name)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestGoRecipeIsReproducible(t *testing.T) {
	var outputs [2][]string
	for i := range outputs {
		w := newWorkspace(t, "go-1.26", example(t, "go-hello"))
		w.must("build")
		outputs[i] = w.output()
	}
	if len(outputs[0]) != 1 || !strings.HasPrefix(outputs[0][0], "app -rwxr-xr-x ") || !slices.Equal(outputs[0], outputs[1]) {
		t.Errorf("two builds of the same source:\n%q\n%q", outputs[0], outputs[1])
	}
}

// The profile stands where the stack says, and is in the format that it names.
func TestGoRecipeMeasuresCoverage(t *testing.T) {
	w := newWorkspace(t, "go-1.26", map[string][]byte{
		"go.mod":    []byte("module example.com/m\n\ngo 1.26\n"),
		"m.go":      []byte("package m\n\nfunc half(n int) int {\n\tif n%2 == 1 {\n\t\treturn -1\n\t}\n\treturn n / 2\n}\n"),
		"m_test.go": []byte("package m\n\nimport \"testing\"\n\nfunc TestHalf(t *testing.T) { half(4) }\n"),
	})
	w.must("test")
	report := builtins(t).Stacks["go-1.26"].Build.Steps[1].Reports[0]
	f, err := os.Open(filepath.Join(w.dir, report.Path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	var r quality.Reports
	if err := r.Add(report.Format, report.Path, f); err != nil || r.Coverage() == nil || r.Coverage().String() != "66.6 % of 3 lines" {
		t.Errorf("%v, %v", err, r.Coverage())
	}
}

func TestGoRecipeFindsMain(t *testing.T) {
	const mod, library = "module example.com/m\n\ngo 1.26\n", "package m\n"
	const program, broken = "package main\n\nfunc main() {}\n", "package main\n\nfunc main() { undefined() }\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  string // in the output of a failing build
	}{
		"one under cmd":   {map[string]string{"m.go": library, "cmd/x/main.go": program, "cmd/internal/y/y.go": "package y\n"}, ""},
		"the app's own":   {map[string]string{"cmd/shop/main.go": program, "cmd/tool/main.go": program}, ""},
		"start script":    {map[string]string{"main.go": program, "start.sh": "#!/bin/sh\nexec ./app -v\n"}, ""},
		"none":            {map[string]string{"m.go": library}, "error: no package main"},
		"too many":        {map[string]string{"cmd/a/main.go": program, "cmd/b/main.go": program}, "error: 2 packages main under ./cmd"},
		"does not build":  {map[string]string{"main.go": broken}, "./main.go:3:15: undefined: undefined"},
		"does not parse":  {map[string]string{"main.go": "package main\n\nfunc main() {\n"}, "main.go:4:1: syntax error"},
		"nothing in cmd":  {map[string]string{"cmd/x/x.go": "package x\n"}, "error: no package main"},
		"a broken module": {map[string]string{"main.go": program, "go.mod": "modul x\n"}, "unknown directive: modul"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{"go.mod": []byte(mod)}
			for path, text := range c.files {
				files[path] = []byte(text)
			}
			w := newWorkspace(t, "go-1.26", files)
			out, err := w.step("build")
			if c.want == "" {
				if err != nil || !strings.Contains(strings.Join(w.output(), "\n"), "app -rwx") {
					t.Errorf("build: %v\n%s", err, out)
				}
				return
			}
			if err == nil || !strings.Contains(out, c.want) {
				t.Errorf("build: %v, want %q in:\n%s", err, c.want, out)
			}
		})
	}
}

func TestNodeRecipe(t *testing.T) {
	var outputs [2][]string
	for i := range outputs {
		w := newWorkspace(t, "nodejs-20", example(t, "node-hello"))
		w.must("setup")
		if out := w.must("install"); !strings.Contains(out, "nothing to install") {
			t.Errorf("install says:\n%s", out)
		}
		if i == 0 {
			w.must("build")
			if out := w.must("test"); !strings.HasPrefix(out, "TAP version 13\n") || !strings.Contains(out, "\n# pass 3\n") {
				t.Errorf("the tests' output is not TAP:\n%s", out)
			}
		}
		w.must("package")
		outputs[i] = w.output()
	}
	if !slices.Equal(outputs[0], outputs[1]) || !strings.Contains(strings.Join(outputs[0], "\n"), "server.js -rw-r--r--") {
		t.Errorf("two builds of the same source:\n%q\n%q", outputs[0], outputs[1])
	}
}

// A database that a test makes is no part of the app; what the build makes again is.
func TestNodeRecipeLeavesOutWhatTestsLeave(t *testing.T) {
	w := newWorkspace(t, "nodejs-20", map[string][]byte{
		"package.json": []byte(`{"scripts": {"build": "mkdir -p dist && echo 1 > dist/i.js", "test": "rm -r dist && npm run build && mkdir -p var/tmp && echo 1 > var/a.db"}}`),
		"var/keep":     []byte("1\n"),
	})
	for _, step := range []string{"setup", "install", "build", "test", "package"} {
		w.must(step)
	}
	if got, want := strings.Join(w.output(), "\n"), "dist/i.js -rw-r--r-- "; !strings.HasPrefix(got, want) || !strings.Contains(got, "var/keep") || strings.Contains(got, "a.db") {
		t.Errorf("the image gets\n%s", got)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "start_env/var/tmp")); err == nil {
		t.Error("a folder that tests made is in the image")
	}
}

func TestNodeRecipeFailsWithTheTests(t *testing.T) {
	files := example(t, "node-hello")
	files["app.test.js"] = []byte("require('node:test')('no', () => { throw new Error('it is broken') })\n")
	w := newWorkspace(t, "nodejs-20", files)
	w.must("setup")
	w.must("install")
	if out, err := w.step("test"); err == nil || !strings.Contains(out, "not ok ") {
		t.Errorf("test: %v\n%s", err, out)
	}
}

func TestNodeRecipeLeavesOutWhatOnlyTheBuildNeeds(t *testing.T) {
	w := newWorkspace(t, "nodejs-20", map[string][]byte{
		"package.json":      []byte(`{"name": "x", "dependencies": {"lib": "file:./lib"}, "devDependencies": {"tool": "file:./tool"}}`),
		"lib/package.json":  []byte(`{"name": "lib", "version": "1.0.0", "main": "i.js"}`),
		"lib/i.js":          []byte("module.exports = 'from lib'\n"),
		"tool/package.json": []byte(`{"name": "tool", "version": "1.0.0"}`),
		"index.js":          []byte("console.log(require('lib'))\n"),
		".npmrc":            []byte("offline=true\n"),
		".env":              []byte("A=1\n"),
	})
	w.must("setup")
	w.must("install")
	w.must("package")
	out := filepath.Join(w.dir, "start_env")
	for name, wanted := range map[string]bool{"node_modules/lib": true, ".env": true, "node_modules/tool": false, ".npmrc": false} {
		if _, err := os.Lstat(filepath.Join(out, name)); (err == nil) != wanted {
			t.Errorf("%s in start_env: %v, want %v", name, err == nil, wanted)
		}
	}
	cmd := exec.Command("node", ".")
	cmd.Dir = out
	if text, err := cmd.CombinedOutput(); err != nil || string(text) != "from lib\n" {
		t.Errorf("the packaged app: %v\n%s", err, text)
	}
}

// The start script calls node itself when it can.
func TestNodeStart(t *testing.T) {
	start := builtins(t).Stacks["nodejs-20"].Runtime.Start
	for name, c := range map[string]struct{ pkg, file string }{
		"nothing":      {`{"main": "gone.js"}`, "a.js"},
		"start script": {`{"scripts": {"start": "node lib/run.js"}}`, "lib/run.js"},
		"main":         {`{"main": "run.js"}`, "run.js"},
		"index":        {`{}`, "index.js"},
		"npm":          {`{"scripts": {"start": "A=1 node run.js"}}`, "run.js"},
		"module":       {`{"type": "module", "main": "run.mjs"}`, "run.mjs"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorkspace(t, "nodejs-20", map[string][]byte{
				"package.json": []byte(c.pkg), "start.sh": []byte(start),
				c.file: []byte("console.log('started', process.env.NODE_ENV)\n"),
			})
			cmd := exec.Command("sh", "start.sh", "dev")
			cmd.Dir = w.dir
			out, err := cmd.CombinedOutput()
			if name == "nothing" {
				if err == nil || !strings.HasPrefix(string(out), "error: package.json has no start script") {
					t.Errorf("start.sh: %v\n%s", err, out)
				}
			} else if err != nil || !strings.Contains(string(out), "started production") {
				t.Errorf("start.sh: %v\n%s", err, out)
			}
		})
	}
}
