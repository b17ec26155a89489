//go:build e2e

package standard

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func needs(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
}

func text(files map[string]string) map[string][]byte {
	all := make(map[string][]byte)
	for name, data := range files {
		all[name] = []byte(data)
	}
	return all
}

func TestStaticRecipe(t *testing.T) {
	var outputs [2][]string
	for i := range outputs {
		w := newWorkspace(t, "nodejs-20-static", example(t, "node-static"))
		w.must("setup")
		w.must("install")
		w.must("build")
		if out := w.must("test"); i == 0 && !strings.Contains(out, "\n# pass 2\n") {
			t.Errorf("test says:\n%s", out)
		}
		if out := w.must("package"); !strings.Contains(out, "the site is dist\n") || strings.Contains(out, "note: ") {
			t.Errorf("package says:\n%s", out)
		}
		outputs[i] = w.output()
	}
	if !slices.Equal(outputs[0], outputs[1]) || len(outputs[0]) != 2 || !strings.HasPrefix(outputs[0][1], "www/index.html ") {
		t.Errorf("two builds of the same source:\n%q\n%q", outputs[0], outputs[1])
	}
}

func TestStaticRecipeFindsTheSite(t *testing.T) {
	build := func(dir string) string {
		return `{"scripts": {"build": "mkdir -p ` + dir + ` && echo built > ` + dir + `/index.html"}}`
	}
	for name, c := range map[string]struct {
		files map[string]string
		env   string
		want  string // what start_env/www/index.html holds, or what a failing step says
	}{
		"pages without a build":   {map[string]string{"index.html": "plain", "a.css": "a {}", "README.md": "x"}, "", "plain"},
		"pages in a folder":       {map[string]string{"public/index.html": "plain"}, "", "plain"},
		"dist":                    {map[string]string{"package.json": build("dist"), "index.html": "source"}, "", "built"},
		"build over public":       {map[string]string{"package.json": build("build"), "public/index.html": "source"}, "", "built"},
		"deep in dist":            {map[string]string{"package.json": build("dist/app/browser")}, "", "built"},
		"Nuxt":                    {map[string]string{"package.json": build(".output/public")}, "", "built"},
		"named":                   {map[string]string{"package.json": build("elsewhere/site")}, "elsewhere/site", "built"},
		"nowhere":                 {map[string]string{"package.json": build("elsewhere/site")}, "", "name the build's folder by SITE_DIR"},
		"named, and wrong":        {map[string]string{"package.json": build("dist")}, "dest", "there is no dest/index.html"},
		"the app has no pages":    {map[string]string{"a.js": "1"}, "", "name the build's folder by SITE_DIR"},
		"an old dist, no new one": {map[string]string{"package.json": build("elsewhere"), "dist/index.html": "old"}, "", "name the build's folder by SITE_DIR"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SITE_DIR", c.env)
			w := newWorkspace(t, "nodejs-20-static", text(c.files))
			past := filepath.Join(w.dir, "dist", "index.html")
			if c.files["dist/index.html"] != "" { // as a checkout leaves it: before the build
				out, err := exec.Command("touch", "-d", "1 hour ago", past).CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			w.must("setup")
			w.must("install")
			w.must("build")
			out, err := w.step("package")
			page, _ := os.ReadFile(filepath.Join(w.dir, "start_env/www/index.html")) // checked by its content
			if !strings.Contains(out, c.want) && strings.TrimSpace(string(page)) != c.want {
				t.Errorf("%v, page %q\n%s", err, page, out)
			}
		})
	}
}

// Where a shiplock.yaml replaces the build, what it has written is the site, and not
// the sources beside it.
func TestStaticRecipeAfterAnotherBuild(t *testing.T) {
	w := newWorkspace(t, "nodejs-20-static", text(map[string]string{
		"package.json": `{"scripts": {"build:prod": "mkdir dist && echo built > dist/index.html"}}`, "index.html": "source",
	}))
	w.must("setup")
	w.run([]string{"npm", "run", "build:prod"})
	if out := w.must("package"); !strings.Contains(out, "the site is dist\n") {
		t.Errorf("package says:\n%s", out)
	}
}

func TestPHPRecipe(t *testing.T) {
	needs(t, "php", "composer", "phpunit")
	var outputs [2][]string
	for i := range outputs {
		files := example(t, "php-hello")
		files["tests/LeavesTest.php"] = []byte("<?php\nfinal class LeavesTest extends PHPUnit\\Framework\\TestCase\n{\n    public function testLeaves(): void { $this->assertSame(1, file_put_contents('left.db', '1')); }\n}\n")
		w := newWorkspace(t, "php-8.2", files)
		w.must("install")
		if out := w.must("lint"); !strings.Contains(out, "4 files of PHP are well-formed") {
			t.Errorf("lint says:\n%s", out)
		}
		if i == 0 {
			if out := w.must("test"); !strings.Contains(out, "OK (4 tests") {
				t.Errorf("test says:\n%s", out)
			}
			if _, err := os.Stat(filepath.Join(w.dir, "junit.xml")); err != nil {
				t.Error(err)
			}
		}
		if out := w.must("package"); !strings.Contains(out, "the world sees public\n") || strings.Contains(out, "note: ") {
			t.Errorf("package says:\n%s", out)
		}
		outputs[i] = w.output()
	}
	if !slices.Equal(outputs[0], outputs[1]) {
		t.Errorf("two builds of the same source:\n%q\n%q", outputs[0], outputs[1])
	}
}

// What Composer fetches comes along and is loaded; what only development needs does not.
func TestPHPRecipeWithPackages(t *testing.T) {
	needs(t, "php", "composer", "git")
	packages := t.TempDir()
	for _, name := range []string{"lib", "tool"} {
		w := workspace{t: t, dir: filepath.Join(packages, name)}
		for file, data := range map[string]string{
			"composer.json": `{"name": "acme/` + name + `", "version": "1.2.3", "autoload": {"psr-4": {"Acme\\": "src/"}}}`,
			"src/Lib.php":   "<?php\nnamespace Acme;\nclass Lib { const SAYS = 'from lib'; }\n",
		} {
			path := filepath.Join(w.dir, file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(data), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		w.run([]string{"sh", "-ec", "git init -q; git add -A; git -c user.name=a -c user.email=a@example.com commit -q -m 1; git tag v1.2.3"})
	}
	var outputs [2][]string
	for i := range outputs {
		w := newWorkspace(t, "php-8.2", text(map[string]string{
			"composer.json": `{"name": "acme/shop", "require": {"acme/lib": "^1"}, "require-dev": {"acme/tool": "^1"}, "repositories": [
				{"type": "vcs", "url": "` + packages + `/lib"}, {"type": "vcs", "url": "` + packages + `/tool"}, {"packagist.org": false}]}`,
			"public/index.php": "<?php\nrequire __DIR__ . '/../vendor/autoload.php';\necho Acme\\Lib::SAYS;\n",
		}))
		if out := w.must("install"); !strings.Contains(out, "Installing acme/tool (1.2.3)") {
			t.Errorf("install says:\n%s", out)
		}
		w.must("package")
		outputs[i] = w.output()
		w.dir = filepath.Join(w.dir, "start_env")
		if out := w.run([]string{"php", "public/index.php"}); out != "from lib" {
			t.Errorf("the packaged app says %q", out)
		}
	}
	all := strings.Join(outputs[0], "\n")
	if !slices.Equal(outputs[0], outputs[1]) || strings.Contains(all, "acme/tool") || strings.Contains(all, ".git/") {
		t.Errorf("two builds of the same source:\n%q\n%q", outputs[0], outputs[1])
	}
}

func TestPHPRecipeFailures(t *testing.T) {
	needs(t, "php")
	for name, c := range map[string]struct {
		stack, step string
		files       map[string]string
		want        string
	}{
		"syntax":           {"php-8.2", "lint", map[string]string{"index.php": "<?php\necho 1\necho 2;\n"}, `syntax error, unexpected token "echo", expecting "," or ";" in ./index.php on line 3`},
		"no front page":    {"php-8.2", "package", map[string]string{"lib/a.php": "<?php"}, "name its folder by SITE_DIR"},
		"no composer file": {"php-8.2", "install", map[string]string{"index.php": "<?php"}, "nothing to install"},
		"an older version": {"php-7.4", "install", map[string]string{"index.php": "<?php"}, "error: PHP 7.4 is needed and "},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath("php7.4"); err == nil && c.stack == "php-7.4" {
				t.Skip("PHP 7.4 is here")
			}
			w := newWorkspace(t, c.stack, text(c.files))
			if c.step != "install" {
				w.must("install")
			}
			if out, err := w.step(c.step); !strings.Contains(out, c.want) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// An npm workspace: the lock file is above, a package of the workspace is built
// first, and the image holds what the app needs and no more.
func TestNodeRecipeInAWorkspace(t *testing.T) {
	w := newWorkspace(t, "nodejs-20", text(map[string]string{
		"package.json":               `{"private": true, "workspaces": ["packages/*"]}`,
		"package-lock.json":          workspaceLock,
		"packages/lib/package.json":  `{"name": "lib", "version": "1.0.0", "main": "dist.js", "scripts": {"build": "echo \"module.exports = 'from lib'\" > dist.js"}}`,
		"packages/api/package.json":  `{"name": "api", "version": "1.0.0", "main": "i.js", "dependencies": {"lib": "1.0.0"}, "devDependencies": {"tool": "1.0.0"}}`,
		"packages/api/i.js":          "console.log(require('lib'), process.cwd().endsWith('packages/api'))\n",
		"packages/tool/package.json": `{"name": "tool", "version": "1.0.0"}`,
	}))
	root := w.dir
	w.dir = filepath.Join(root, "packages/api")
	w.must("setup")
	w.must("install")
	w.must("build")
	w.must("package")
	out := filepath.Join(w.dir, "start_env")
	for name, wanted := range map[string]bool{"packages/api/i.js": true, "packages/lib/dist.js": true, "node_modules/lib/dist.js": true, "node_modules/tool": false, "packages/tool": false, "node_modules/.package-lock.json": false} {
		if _, err := os.Stat(filepath.Join(out, name)); (err == nil) != wanted {
			t.Errorf("%s in start_env: %v, want %v", name, err == nil, wanted)
		}
	}
	started(t, out, "from lib true\n")
}

const workspaceLock = `{
  "name": "root", "lockfileVersion": 3, "requires": true,
  "packages": {
    "": {"workspaces": ["packages/*"]},
    "node_modules/api": {"resolved": "packages/api", "link": true},
    "node_modules/lib": {"resolved": "packages/lib", "link": true},
    "node_modules/tool": {"resolved": "packages/tool", "link": true},
    "packages/api": {"version": "1.0.0", "dependencies": {"lib": "1.0.0"}, "devDependencies": {"tool": "1.0.0"}},
    "packages/lib": {"version": "1.0.0"},
    "packages/tool": {"version": "1.0.0"}
  }
}
`
