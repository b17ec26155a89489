package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/standard"
)

func (c *console) planCommand() *cobra.Command {
	var ask api.AskPlan
	var file string
	cmd := &cobra.Command{
		Use: "plan APP --env ENV [-f FILE|DIR]", Short: "What a run would do, and why each line is there",
		Long: "What a run would do, and why each line is there. With -f, as if the commit had this " + catalog.RepositoryFile + ", or this folder.",
		Args: exactly(1),
	}
	cmd.Flags().StringVar(&ask.Env, "env", "", "the environment")
	cmd.Flags().StringVarP(&file, "filename", "f", "", "a local "+catalog.RepositoryFile+" to try, or the App's folder with all that is read of it")
	cmd.Flags().StringVar(&ask.Branch, "branch", "", "the commit's branch (default: the environment's)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := requireEnv(cmd, ask.Env); err != nil {
			return err
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		p, err := plan(cmd.Context(), cl, args[0], ask, file)
		if err != nil {
			return err
		}
		return c.print(p, func(w io.Writer) { printLines(w, c.planLines(p)) })
	}
	return c.completing(cmd)
}

func plan(ctx context.Context, cl *client.Client, app string, ask api.AskPlan, file string) (delivery.Plan, error) {
	if file == "" {
		return cl.Plan(ctx, app, ask.Env, ask.Branch)
	}
	info, err := os.Stat(file)
	if err != nil {
		return delivery.Plan{}, err
	}
	if info.IsDir() {
		ask.Files, err = localSources(file, append(standard.DetectFiles(), catalog.RepositoryFile))
		file = filepath.Join(file, catalog.RepositoryFile)
	} else {
		ask.Files = []delivery.SourceFile{{Path: catalog.RepositoryFile}}
		ask.Files[0].Text, err = readLimited(file)
	}
	if err != nil {
		return delivery.Plan{}, err
	}
	p, err := cl.RefinedPlan(ctx, app, ask)
	var refused *client.Error
	if errors.As(err, &refused) && len(refused.Problems) > 0 {
		for i := range refused.Problems {
			refused.Problems[i].File = file
		}
		return p, catalog.Problems(refused.Problems)
	}
	return p, err
}

// readLimited reads a file that is to be sent.
func readLimited(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, delivery.MaxSourceFile+1))
	if err == nil && len(data) > delivery.MaxSourceFile {
		err = fmt.Errorf("%s is larger than %d KiB", name, delivery.MaxSourceFile>>10)
	}
	return string(data), err
}

// planLines shows a plan. What is indented is the plan's own: scripts and reasons.
func (c *console) planLines(p delivery.Plan) []string {
	lines := standard.Explain(p)
	for i, l := range lines {
		if lines[i] = word(l); !strings.HasPrefix(l, " ") {
			lines[i] = c.in(lines[i])
		}
	}
	return lines
}
