package archive_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/archive"
)

// entries are names and contents, in order.
type entries [][2]string

// built makes an archive as a build at that time does.
func built(t *testing.T, at time.Time, list entries) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range list {
		h := &zip.FileHeader{Name: e[0], Method: zip.Deflate, Modified: at}
		if strings.HasSuffix(e[0], ".jar") {
			h.Method = zip.Store
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// normal writes data as a file, normalizes it, and returns the result.
func normal(t *testing.T, name string, data []byte, changes int) []byte {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "lib", name)
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o640); err != nil {
		t.Fatal(err)
	}
	if n, err := archive.NormalizeTree(dir); err != nil || n != changes {
		t.Fatalf("changed %d, %v, want %d", n, err, changes)
	}
	result, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if names, err := os.ReadDir(filepath.Dir(file)); err != nil || len(names) != 1 {
		t.Errorf("left behind: %v, %v", names, err)
	}
	return result
}

func contents(t *testing.T, data []byte) entries {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var list entries
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.Name, ".jar") && f.Method != zip.Store {
			t.Errorf("%s is compressed", f.Name)
		}
		list = append(list, [2]string{f.Name, string(text)})
	}
	return list
}

// Two builds of the same sources differ in nothing but times, also within.
func TestTwoBuildsBecomeTheSame(t *testing.T) {
	var results [2][]byte
	for i, at := range []time.Time{time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), time.Date(2026, 5, 6, 7, 8, 10, 0, time.UTC)} {
		inner := built(t, at, entries{{"b/B.class", "b"}, {"META-INF/maven/g/b/pom.properties", "#" + at.String() + "\nversion=1\n"}})
		results[i] = normal(t, "app.jar", built(t, at, entries{
			{"META-INF/MANIFEST.MF", "Main-Class: a.A\n"}, {"BOOT-INF/lib/b.jar", string(inner)}, {"a/A.class", strings.Repeat("a", 1000)}, {"a/", ""},
		}), 1)
	}
	if !bytes.Equal(results[0], results[1]) {
		t.Error("they differ")
	}
	list := contents(t, results[0])
	if len(list) != 4 || list[0][1] != "Main-Class: a.A\n" || list[2][1] != strings.Repeat("a", 1000) || list[3][0] != "a/" {
		t.Errorf("the content changed: %q", list)
	}
	if inner := contents(t, []byte(list[1][1])); inner[0][1] != "b" || inner[1][1] != "version=1\n" {
		t.Errorf("the content within changed: %q", inner)
	}
	if again := normal(t, "app.jar", results[0], 0); !bytes.Equal(again, results[0]) {
		t.Error("a second time changes it")
	}
}

// An archive may hold ever more archives.
func TestDepthIsBounded(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	data := built(t, at, entries{{"a", "a"}})
	var layers [][]byte
	for range 5 {
		layers = append(layers, data)
		data = built(t, at, entries{{"inner.jar", string(data)}})
	}
	got := normal(t, "app.jar", data, 1)
	for range 3 {
		got = []byte(contents(t, got)[0][1])
	}
	if !bytes.Equal(got, layers[2]) {
		t.Error("what is too deep changed")
	}
}

// Gradle and the JDK's jar compress even the nothing in a folder.
func TestCompressedFolder(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateRaw(&zip.FileHeader{Name: "a_", Method: zip.Deflate, CompressedSize64: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte{3, 0}); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	data := bytes.ReplaceAll(b.Bytes(), []byte("a_"), []byte("a/"))
	if got := contents(t, normal(t, "app.jar", data, 1)); len(got) != 1 || got[0][0] != "a/" {
		t.Errorf("%q", got)
	}
}

// A signature is of contents.
func TestSignedContentStays(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	list := entries{{"META-INF/A.SF", "s"}, {"META-INF/maven/g/a/pom.properties", "#" + at.String() + "\n"}}
	if got := contents(t, normal(t, "app.war", built(t, at, list), 1)); got[1] != list[1] {
		t.Errorf("%q", got)
	}
}

func TestOtherFilesStay(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	jar := built(t, at, entries{{"a", "a"}})
	for name, data := range map[string][]byte{
		"text.jar": []byte("no archive"), "short.jar": []byte("PK"), "torn.jar": jar[:len(jar)-5], "script.jar": append([]byte("#!/bin/sh\n"), jar...), "a.zip": jar,
	} {
		if got := normal(t, name, data, 0); !bytes.Equal(got, data) {
			t.Errorf("%s changed", name)
		}
	}
}
