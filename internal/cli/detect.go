package cli

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/standard"
)

// detected is an App as a checkout shows it, with the reason of each field.
type detected struct {
	Name     string `json:"name"`
	Repo     string `json:"repo,omitempty"`
	Path     string `json:"path,omitempty"`
	Stack    string `json:"stack"`
	StackWhy string `json:"stackWhy"`
}

func (c *console) detectCommand() *cobra.Command {
	return &cobra.Command{
		Use: "detect [DIR]", Short: "The App document of a checkout, with the reason of each line", Args: cobra.MaximumNArgs(1),
		Long: "The App document of a checkout, with the reason of each line. It reads the folder's own files, asks no server, and knows the built-in stacks.",
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := detect(cmd.Context(), strings.Join(args, ""))
			if err != nil {
				return err
			}
			return c.print(d, func(w io.Writer) { printLines(w, c.document(d)) })
		},
	}
}

func detect(ctx context.Context, dir string) (detected, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return detected{}, err
	}
	files, err := localSources(dir, standard.DetectFiles())
	if err != nil {
		return detected{}, err
	}
	set, err := catalog.NewSet(0, nil)
	if err != nil {
		return detected{}, err
	}
	wish, err := standard.Detect(files, "")
	if err != nil {
		return detected{}, err
	}
	stack, why, err := standard.StackFor(wish, set.Stacks)
	d := detected{
		Name: appName(filepath.Base(dir)), Stack: stack.Name, StackWhy: why,
		Repo: ofGit(ctx, dir, "remote", "get-url", "origin"), Path: strings.TrimSuffix(ofGit(ctx, dir, "rev-parse", "--show-prefix"), "/"),
	}
	return d, err
}

// localSources reads those of the named files that a folder has.
func localSources(dir string, names []string) ([]delivery.SourceFile, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // it was only read
	files := []delivery.SourceFile{}
	for _, name := range names {
		info, err := root.Lstat(name)
		if err != nil || info.Mode().Type() != 0 && info.Mode().Type() != fs.ModeSymlink {
			continue
		}
		f := delivery.SourceFile{Path: name}
		switch {
		case info.Mode().Type() == fs.ModeSymlink:
			f.Problem = delivery.SourceSymlink
		case info.Size() > delivery.MaxSourceFile:
			f.Problem = delivery.SourceLarge
		default:
			data, err := root.ReadFile(name)
			if err != nil {
				return nil, err
			}
			f.Text = strings.ToValidUTF8(string(data), "\ufffd")
		}
		files = append(files, f)
	}
	return files, nil
}

// ofGit asks git about a folder; "" when it does not say.
func ofGit(ctx context.Context, dir string, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// appName makes a folder's name one that an App may have.
func appName(folder string) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, folder), "-0123456789")
	if delivery.CheckAppName(name) != nil {
		return "app"
	}
	return name
}

// document is the App as it may be applied, with the reasons as comments.
func (c *console) document(d detected) []string {
	repo, origin := d.Repo, "git's remote origin"
	if repo == "" {
		repo, origin = "group/"+d.Name, "git names no remote origin: write the repository"
	}
	field := func(text, why string) string { return word(text + "  # " + c.in(why)) }
	out := []string{
		"apiVersion: shiplock/v1",
		"kind: App",
		field("metadata: {name: "+d.Name+"}", "the folder's name"),
		"spec:",
		field(fmt.Sprintf("  repo: %q", repo), origin),
	}
	if d.Path != "" {
		out = append(out, field(fmt.Sprintf("  path: %q", d.Path), "the folder in its repository"))
	}
	return append(out, field("  stack: "+d.Stack, d.StackWhy))
}
