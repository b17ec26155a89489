package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

func (c *console) commitsCommand() *cobra.Command {
	var app string
	where := &cobra.Command{Use: "where COMMIT", Short: "Which environments run a commit, or a later one that contains it", Args: exactly(1)}
	where.Flags().StringVar(&app, "app", "", "of this app only")
	where.RunE = func(cmd *cobra.Command, args []string) error {
		cl, err := c.client()
		if err != nil {
			return err
		}
		found, err := cl.Where(cmd.Context(), args[0], app)
		if err != nil {
			return err
		}
		return c.print(found, func(w io.Writer) { c.showWhere(w, args[0], found) })
	}
	return group(&cobra.Command{Use: "commits", Short: "Follow commits through the environments"}, where)
}

func (c *console) showWhere(w io.Writer, asked string, found api.Whereabouts) {
	if len(found.Items) == 0 {
		fmt.Fprintln(w, c.in("Nothing runs anywhere yet: see `shiplock status`."))
		return
	}
	unknown := false
	var rows [][]string
	for _, p := range found.Items {
		unknown = unknown || p.Contains == delivery.ContainsUnknown
		rows = append(rows, []string{p.App, p.Env, fmt.Sprintf("#%d %s", p.RunNumber, p.Commit.Short()), contains(p)})
	}
	switch {
	case found.Commit != "":
		fmt.Fprintln(w, word(c.say("Commit %s", found.Commit)))
	case unknown:
		fmt.Fprintln(w, word(c.say("Commit %s is in no history that could be looked at", asked)))
	default:
		fmt.Fprintln(w, word(c.say("Commit %s is in the history of nothing that runs: it was never released, or is mistyped", asked)))
	}
	c.table("APP ENV RUNS CONTAINS", rows)
}

func contains(p delivery.Presence) string {
	if p.Contains == delivery.ContainsUnknown {
		return "cannot tell: " + p.Why
	}
	return string(p.Contains)
}
