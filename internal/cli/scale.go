package cli

import (
	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
)

func (c *console) scaleCommand() *cobra.Command {
	var ask api.Scale
	var catalog, watch bool
	cmd := &cobra.Command{
		Use: "scale APP ENV", Short: "Change how many instances run, without restarting those that stay", Args: exactly(2),
		Long: "Change how many instances run, without restarting those that stay. The number is kept over restarts, rollbacks and later releases; it ends when a release brings another number of replicas from the App's document than the one before, or with --catalog. What is to stay belongs into that document.",
	}
	f := cmd.Flags()
	f.IntVar(&ask.Replicas, "replicas", 0, "how many instances")
	f.BoolVar(&catalog, "catalog", false, "go back to the number of the App's document")
	f.StringVar(&ask.Reason, "reason", "", "why, for others to see")
	f.BoolVar(&watch, "watch", false, "watch it until it is over")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if catalog == (ask.Replicas > 0) || ask.Replicas < 0 {
			return usageOf(cmd, "name --replicas N, or --catalog")
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		r, err := cl.ScaleTarget(cmd.Context(), args[0], args[1], ask)
		return c.made(cmd.Context(), cl, r, err, watch)
	}
	return c.completingTarget(cmd)
}

func (c *console) scaledTo(replicas int) string {
	if replicas == 0 {
		return c.say("to as many instances as the catalog says")
	}
	return c.say("to %d instances", replicas)
}
