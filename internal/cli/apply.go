package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/client"
)

const (
	maxFiles = 5000
	maxInput = 16 << 20
)

func (c *console) applyCommand() *cobra.Command {
	var file, manager string
	ask := api.Apply{}
	cmd := &cobra.Command{
		Use: "apply -f DIR|FILE|-", Short: "Change the catalog to the documents of a directory or file",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return usageOf(cmd, "which documents? add -f DIR, -f FILE or -f -")
			}
			files, err := c.readFiles(file)
			if err != nil {
				return err
			}
			if ask.Manager = manager; manager == "" {
				ask.Manager = defaultManager(file)
			}
			return c.apply(cmd, files, ask)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&file, "filename", "f", "", "a directory (all its .yaml, .yml and .json files), a file, or - for the standard input")
	f.StringVar(&manager, "manager", "", "the source that owns these documents (default: cli:NAME of the directory)")
	f.BoolVar(&ask.Dry, "dry-run", false, "only show what would change")
	f.BoolVar(&ask.Prune, "prune", false, "delete what the same manager applied before and is no longer there")
	return cmd
}

func (c *console) apply(cmd *cobra.Command, files []catalog.File, ask api.Apply) error {
	parsed, err := catalog.ParseFiles(files)
	if err != nil {
		return err
	}
	ask.Documents = []api.Document{}
	for _, p := range parsed {
		ask.Documents = append(ask.Documents, api.Document{Kind: p.Document.Kind, Name: p.Document.Name, Spec: p.Document.Spec})
	}
	cl, err := c.client()
	if err != nil {
		return err
	}
	diff, err := cl.Apply(cmd.Context(), ask)
	var refused *client.Error
	if errors.As(err, &refused) && len(refused.Problems) > 0 {
		return catalog.Locate(refused.Problems, parsed)
	}
	if err != nil {
		return err
	}
	return c.print(diff, func(w io.Writer) {
		printLines(w, diff.Lines())
		if ask.Dry {
			fmt.Fprint(w, c.say("Not applied (--dry-run):")+" ")
		}
		fmt.Fprintln(w, c.in(diff.Summary()))
		printLines(w, c.warningLines(diff.Warnings))
	})
}

// defaultManager names the source after its directory.
func defaultManager(file string) string {
	if file == "-" {
		return "cli:stdin"
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return "cli:" + filepath.Base(file)
	}
	if info, err := os.Stat(abs); err == nil && !info.IsDir() {
		abs = filepath.Dir(abs)
	}
	return "cli:" + filepath.Base(abs)
}

// readFiles reads every document file at a path, in order of name.
func (c *console) readFiles(path string) ([]catalog.File, error) {
	if path == "-" {
		data, err := io.ReadAll(io.LimitReader(c.In, maxInput))
		return []catalog.File{{Name: "stdin", Data: data}}, err
	}
	var files []catalog.File
	size := 0
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name != path && !isDocument(name) {
			return err
		}
		data, err := os.ReadFile(name)
		files = append(files, catalog.File{Name: name, Data: data})
		if size += len(data); size > maxInput || len(files) > maxFiles {
			return fmt.Errorf("%s holds more than %d files or %d MiB of documents: apply a smaller directory", path, maxFiles, maxInput>>20)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no .yaml, .yml or .json file", path)
	}
	return files, err
}

func isDocument(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name))
}
