package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/client"
)

// completionTimeout is how long a shell may wait for names.
const completionTimeout = 700 * time.Millisecond

// completing adds the names of apps for the argument, and of environments for the
// flags that take them.
func (c *console) completing(cmd *cobra.Command) *cobra.Command {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return c.names(cmd.Context(), appNames), cobra.ShellCompDirectiveNoFileComp
	}
	c.complete(cmd)
	return cmd
}

// completingTarget adds the names of apps for the first argument, and of environments for
// the second.
func (c *console) completingTarget(cmd *cobra.Command) *cobra.Command {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		switch len(args) {
		case 0:
			return c.names(cmd.Context(), appNames), cobra.ShellCompDirectiveNoFileComp
		case 1:
			return c.names(cmd.Context(), envNames), cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c.complete(cmd)
	return cmd
}

// complete adds names for the flags that take them.
func (c *console) complete(cmd *cobra.Command) {
	for flag, read := range map[string]func(context.Context, *client.Client) ([]string, error){
		"app": appNames, "env": envNames, "from": envNames,
	} {
		if cmd.Flags().Lookup(flag) == nil {
			continue
		}
		err := cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return c.names(cmd.Context(), read), cobra.ShellCompDirectiveNoFileComp
		})
		if err != nil {
			panic("cli: completion of --" + flag + ": " + err.Error()) // registered twice
		}
	}
}

// names asks the server; a shell gets none when it does not answer soon.
func (c *console) names(ctx context.Context, read func(context.Context, *client.Client) ([]string, error)) []string {
	cl, err := c.client()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, completionTimeout)
	defer cancel()
	names, err := read(ctx, cl)
	if err != nil {
		return nil
	}
	return names
}

func appNames(ctx context.Context, cl *client.Client) ([]string, error) {
	page, err := cl.Apps(ctx)
	names := make([]string, len(page.Items))
	for i, a := range page.Items {
		names[i] = a.Name
	}
	return names, err
}

func envNames(ctx context.Context, cl *client.Client) ([]string, error) {
	page, err := cl.Environments(ctx)
	names := make([]string, len(page.Items))
	for i, e := range page.Items {
		names[i] = e.Name
	}
	return names, err
}
