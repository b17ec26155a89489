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
	case "nodejs.yaml":
		return []string{"20", "18"}
	case "nodejs-static.yaml":
		return []string{"20-static"}
	case "php.yaml":
		return []string{"8.2", "7.4"}
	}
	return nil
}

// editions are the files that a built-in file stands for.
func editions(name string, data []byte) []File {
	data = included(data)
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

// included puts the files of builtin/parts in the place of lines "#include NAME",
// as far to the right as these. What recipes share is written once.
func included(data []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(data) {
		before, name, ok := bytes.Cut(line, []byte("#include "))
		if !ok || len(bytes.TrimSpace(before)) > 0 {
			out.Write(line)
			continue
		}
		part, err := builtinFiles.ReadFile("builtin/parts/" + string(bytes.TrimSpace(name)))
		if err != nil {
			panic("catalog: " + err.Error())
		}
		for line := range bytes.Lines(included(part)) {
			if len(bytes.TrimSpace(line)) > 0 {
				out.Write(before)
			}
			out.Write(line)
		}
	}
	return out.Bytes()
}

var parseBuiltins = sync.OnceValue(func() []delivery.Document {
	entries, err := builtinFiles.ReadDir("builtin")
	if err != nil {
		panic("catalog: " + err.Error())
	}
	var files []File
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
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
