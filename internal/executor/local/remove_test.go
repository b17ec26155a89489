package local

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRemoveAll(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	kept := filepath.Join(outside, "kept")
	tree := filepath.Join(t.TempDir(), "tree")
	deep := filepath.Join(tree, "mod", "pkg@v1")
	for _, dir := range []string{outside, deep} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{kept, filepath.Join(deep, "a.go")} {
		if err := os.WriteFile(file, nil, 0o444); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(deep, "link")); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{outside, deep, filepath.Dir(deep)} {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(outside, 0o755) })

	if err := removeAll(tree); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(tree); !os.IsNotExist(err) {
		t.Error("the tree is still there")
	}
	if info, err := os.Stat(outside); err != nil || info.Mode().Perm() != 0o555 {
		t.Errorf("what a link pointed to was touched: %v, %v", info.Mode(), err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
	if err := removeAll(tree); err != nil {
		t.Errorf("again: %v", err)
	}
}
