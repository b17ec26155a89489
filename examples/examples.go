// Package examples holds the example apps, so that the program can make
// repositories of them anywhere.
package examples

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed all:go-hello all:java-hello all:node-hello all:node-static all:php-hello catalog
var files embed.FS

// goMod makes a module of go-hello. It is no file here, as a folder that is a
// module of its own cannot be embedded.
const goMod = "module example.com/go-hello\n\ngo 1.26\n"

// Names lists the example apps.
func Names() []string {
	return []string{"go-hello", "java-hello", "node-hello", "node-static", "php-hello"}
}

// Repository returns the files of an example app by their path.
func Repository(name string) (map[string][]byte, error) {
	all := make(map[string][]byte)
	root, err := fs.Sub(files, name)
	if err != nil {
		return nil, fmt.Errorf("example %s: %w", name, err)
	}
	err = fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all[path], err = fs.ReadFile(root, path)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("example %s: %w", name, err)
	}
	if name == "go-hello" {
		all["go.mod"] = []byte(goMod)
	}
	return all, nil
}

// Document returns the catalog document of an example app, as YAML.
func Document(name string) ([]byte, error) {
	return files.ReadFile("catalog/" + name + ".yaml")
}
