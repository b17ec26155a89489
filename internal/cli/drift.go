package cli

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

func (c *console) driftCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "drift [ENV|APP]", Short: "What runs that its branch does not have, and how far branches are ahead", Args: atMostOne,
		Long: `Hold what runs against the head of its environment's branch: a commit that the branch does
not contain, such as a hotfix from elsewhere or from before a forced push, and how many commits
the branch is ahead. Environments without a branch are left out.`,
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return append(c.names(cmd.Context(), envNames), c.names(cmd.Context(), appNames)...), cobra.ShellCompDirectiveNoFileComp
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cl, err := c.client()
		if err != nil {
			return err
		}
		app, env, err := appOrEnv(cmd.Context(), cl, args)
		if err != nil {
			return err
		}
		found, err := cl.Drift(cmd.Context(), app, env)
		if err != nil {
			return err
		}
		return c.print(found, func(w io.Writer) { c.showDrift(w, found.Items) })
	}
	return cmd
}

// appOrEnv tells what an argument names: an environment, or else an app.
func appOrEnv(ctx context.Context, cl *client.Client, args []string) (app, env string, err error) {
	if len(args) == 0 {
		return "", "", nil
	}
	known, err := cl.Environments(ctx)
	if err != nil {
		return "", "", err
	}
	if slices.ContainsFunc(known.Items, func(e api.Environment) bool { return e.Name == args[0] }) {
		return "", args[0], nil
	}
	return args[0], "", nil
}

func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageOf(cmd, fmt.Sprintf("%s takes one argument or none, and got %d: %s", cmd.CommandPath(), len(args), cmd.UseLine()))
	}
	return nil
}

func (c *console) showDrift(w io.Writer, all []delivery.Divergence) {
	if len(all) == 0 {
		fmt.Fprintln(w, c.in("Nothing runs in an environment with a branch yet: see `shiplock status`."))
		return
	}
	rows := make([][]string, len(all))
	for i, d := range all {
		branch := d.Branch
		if d.Head != "" {
			branch += " " + delivery.Commit{SHA: d.Head}.Short()
		}
		rows[i] = []string{d.App, d.Env, fmt.Sprintf("#%d %s", d.RunNumber, d.Commit.Short()), branch, d.String()}
	}
	c.table("APP ENV RUNS BRANCH DRIFT", rows)
}
