package catalog

import (
	"bytes"
	"embed"
	"slices"
	"strings"
	"sync"

	"github.com/shiplock/shiplock/internal/delivery"
)

// BuiltinManager is the manager of the documents that come with the program. A
// stored document of the same kind and name takes the place of a built-in one.
const BuiltinManager = "built-in"

//go:embed builtin
var builtinFiles embed.FS

// versions returns the versions that a recipe makes a Stack of: "@version@" in the
// file stands for each in turn. Other files stand for themselves.
func versions(file string) []string {
	switch file {
	case "go.yaml":
		return []string{"1.26", "1.22"}
	case "java.yaml":
		return []string{"17", "8"}
	}
	return nil
}

// editions are the files that a built-in file stands for.
func editions(name string, data []byte) []File {
	list := versions(name)
	if list == nil {
		return []File{{Name: name, Data: data}}
	}
	files := make([]File, len(list))
	for i, v := range list {
		files[i] = File{
			Name: strings.TrimSuffix(name, ".yaml") + "-" + v + ".yaml",
			Data: bytes.ReplaceAll(data, []byte("@version@"), []byte(v)),
		}
	}
	return files
}

var parseBuiltins = sync.OnceValue(func() []delivery.Document {
	entries, err := builtinFiles.ReadDir("builtin")
	if err != nil {
		panic("catalog: " + err.Error())
	}
	var files []File
	for _, e := range entries {
		data, err := builtinFiles.ReadFile("builtin/" + e.Name())
		if err != nil {
			panic("catalog: " + err.Error())
		}
		files = append(files, editions(e.Name(), data)...)
	}
	parsed, err := ParseFiles(files)
	if err != nil {
		panic("catalog: built-in documents: " + err.Error()) // a test reads them all
	}
	docs := make([]delivery.Document, len(parsed))
	for i, p := range parsed {
		docs[i] = p.Document
		docs[i].Manager = BuiltinManager
	}
	return docs
})

// Builtin returns the documents that come with the program.
func Builtin() []delivery.Document { return slices.Clone(parseBuiltins()) }
