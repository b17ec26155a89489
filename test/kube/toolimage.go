//go:build e2e

package kube

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/image"
)

// tools is what an image for builds has of a language.
type tools struct {
	// packages are Debian's, in the root file system.
	packages []string
	// lay makes a folder of this machine's own tools, whose content goes to /opt/tools.
	lay  func(ctx context.Context) (dir string, err error)
	path string
	env  []string
}

var languages = map[string]tools{
	"go":   {lay: layGo, path: "/opt/tools/bin", env: []string{"CGO_ENABLED=0"}},
	"java": {lay: layJava, path: "/opt/tools/jdk/bin:/opt/tools/maven/bin", env: []string{"JAVA_HOME=/opt/tools/jdk"}},
	"node": {lay: layNode, path: "/opt/tools/bin"},
	// git is the Debian alone.
	"git": {},
	// PHP is of many libraries: the packages bring them, of the same Debian as this machine.
	"php": {packages: []string{"php-cli", "php-xml", "php-mbstring", "composer", "phpunit"}},
	// What runs PHP, as a base has it.
	"php-fpm": {packages: []string{"php-fpm"}},
}

// ToolImage returns the reference of an image for builds in a language: "go", "java",
// "node" or "php"; or "git" or "php-fpm", with nothing else. It is a Debian with git, and this machine's own tools. What is
// missing here skips the test. The parts are made once for a machine.
func (n *Namespace) ToolImage(t testing.TB, language string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	with, known := languages[language]
	if !known {
		t.Fatalf("there is no image for %q", language)
	}
	root, err := debian(ctx, n.Registry, with.packages)
	if err != nil {
		t.Fatal(err)
	}
	if with.lay == nil {
		return root
	}
	dir, err := with.lay(ctx)
	if errors.Is(err, exec.ErrNotFound) {
		t.Skipf("this machine has no tools for %s: %v", language, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	made, err := image.New(image.Config{CacheDir: cached("images")}).Build(ctx, image.Spec{
		Base: root, Dir: dir, Into: "/opt/tools", Dest: n.Registry + "/tools/" + language,
		Env: append([]string{"PATH=" + with.path + ":/usr/local/bin:/usr/bin:/bin"}, with.env...),
	})
	if err != nil {
		t.Fatal(err)
	}
	return made.Ref
}

// cached returns a path of what is kept between runs.
func cached(name string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "shiplock-test", name)
}

func layGo(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOROOT")
	cmd.Dir = os.TempDir() // the Go of this machine, whatever a go.mod here asks for
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w\n%s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

func layJava(context.Context) (string, error) {
	jdk, err := home("javac")
	if err != nil {
		return "", err
	}
	maven, err := home("mvn")
	if err != nil {
		return "", err
	}
	return gather("java", map[string]string{"jdk": jdk, "maven": maven})
}

func layNode(context.Context) (string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return "", err
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", err
	}
	cli, err := filepath.EvalSymlinks(npm) // …/npm/bin/npm-cli.js
	if err != nil {
		return "", err
	}
	dir, err := gather("node", map[string]string{"bin/node": node, "lib/node_modules/npm": filepath.Dir(filepath.Dir(cli))})
	if err != nil {
		return "", err
	}
	for _, name := range []string{"npm", "npx"} {
		link := filepath.Join(dir, "bin", name)
		if err := os.Symlink("../lib/node_modules/npm/bin/"+name+"-cli.js", link); err != nil && !errors.Is(err, os.ErrExist) {
			return "", err
		}
	}
	return dir, nil
}

// home returns the folder whose bin has a program.
func home(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", err
	}
	path, err = filepath.EvalSymlinks(path)
	return filepath.Dir(filepath.Dir(path)), err
}

// gathering is one at a time: tests may want the same parts.
var gathering sync.Mutex

// gather copies folders and files of this machine into one. It does so once, as long
// as the parts are in the same places.
func gather(name string, parts map[string]string) (string, error) {
	gathering.Lock()
	defer gathering.Unlock()
	dir := cached(fmt.Sprintf("tools-%s-%.12x", name, sha256.Sum256([]byte(fmt.Sprint(parts)))))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	fresh := dir + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return "", err
	}
	for to, from := range parts {
		if err := follow(from, filepath.Join(fresh, to)); err != nil {
			return "", err
		}
	}
	return dir, os.Rename(fresh, dir)
}

// follow copies a file or folder, with what links in it lead to in their places: they
// lead out of it in Debian's packages. A link to nothing is left out.
func follow(from, to string) error {
	info, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return copyFile(from, to, info.Mode().Perm())
	}
	entries, err := os.ReadDir(from)
	for _, e := range entries {
		err = errors.Join(err, follow(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())))
	}
	return err
}

func copyFile(from, to string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
