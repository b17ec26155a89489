package runner

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestGlobFinds(t *testing.T) {
	dir := tree(t, "target/surefire-reports/TEST-a.xml", "target/surefire-reports/a.txt", "m1/target/surefire-reports/TEST-b.xml",
		"m1/m2/target/surefire-reports/TEST-c.xml", "node_modules/x/target/surefire-reports/TEST-d.xml", "cover.out", ".cover.out", "a/b/c/d.info")
	outside := tree(t, "TEST-e.xml")
	for link, to := range map[string]string{"linked": outside, "target/surefire-reports/TEST-f.xml": filepath.Join(outside, "TEST-e.xml"), "loop": "."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string]string{
		"cover.out":                       "cover.out",
		"*.out":                           ".cover.out cover.out",
		"target/surefire-reports/*.xml":   "target/surefire-reports/TEST-a.xml",
		"**/surefire-reports/TEST-*.xml":  "m1/m2/target/surefire-reports/TEST-c.xml m1/target/surefire-reports/TEST-b.xml target/surefire-reports/TEST-a.xml",
		"*/target/**/*.xml":               "m1/target/surefire-reports/TEST-b.xml",
		"m1/**/**/*.xml":                  "m1/m2/target/surefire-reports/TEST-c.xml m1/target/surefire-reports/TEST-b.xml",
		"**/cover.out":                    "cover.out",
		"**/b/**/*.info":                  "a/b/c/d.info",
		"a/*/d.info":                      "",
		"linked/*.xml":                    "",
		"loop/cover.out":                  "",
		"../" + filepath.Base(dir) + "/*": "",
		"node_modules/x/**/TEST-*.xml":    "node_modules/x/target/surefire-reports/TEST-d.xml",
		"missing/*.xml":                   "",
		"cover.out/*":                     "",
		"[":                               "",
	} {
		found, err := searched(t, dir, pattern, 1000)
		if got := strings.Join(found, " "); err != nil || got != want {
			t.Errorf("%s finds %q, want %q (%v)", pattern, got, want, err)
		}
	}
	if _, err := searched(t, dir, "**/*.xml", 5); !errors.Is(err, errManyFiles) {
		t.Errorf("an endless search ends with %v", err)
	}
}

func TestGlobReachesSoDeep(t *testing.T) {
	dir := tree(t, strings.Repeat("d/", deepest)+"in.xml", strings.Repeat("d/", deepest+1)+"out.xml")
	if found, err := searched(t, dir, "**/*.xml", 1000); err != nil || len(found) != 1 || !strings.HasSuffix(found[0], "in.xml") {
		t.Errorf("%q %v", found, err)
	}
}

func tree(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, f)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func searched(t *testing.T, dir, pattern string, looks int) (found []string, err error) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }() // it was only read
	s := search{root: root, looks: looks, found: func(file string, _ fs.FileInfo) error {
		found = append(found, file)
		return nil
	}}
	err = s.walk(newGlob(pattern), nil)
	slices.Sort(found)
	return found, err
}
