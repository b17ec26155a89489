package catalog

import (
	"embed"
	"slices"
	"sync"

	"github.com/shiplock/shiplock/internal/delivery"
)

// BuiltinManager is the manager of the documents that come with the program. A
// stored document of the same kind and name takes the place of a built-in one.
const BuiltinManager = "built-in"

//go:embed builtin
var builtinFiles embed.FS

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
		files = append(files, File{Name: e.Name(), Data: data})
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
