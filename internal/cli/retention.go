package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

func (c *console) retentionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "retention", Short: "What of the past would go, what stays, and why", Args: exactly(0),
		Long: `Show the retention policy, what the server's next pass removes, and what is old
and stays nevertheless. It only looks. Change the policy with a document of kind
Retention and ` + "`shiplock apply`" + `.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			r, err := cl.Retention(cmd.Context())
			if err != nil {
				return err
			}
			return c.print(r, func(w io.Writer) { c.showRetention(w, r) })
		},
	}
}

func (c *console) showRetention(w io.Writer, r api.RetentionReport) {
	p := r.Policy
	fmt.Fprintln(w, c.say("Kept: the newest %s of each app and environment, all of the last %s; log lines %s, audit entries %s.",
		count(p.Runs, "run"), p.Age, p.Logs, p.Audit))
	if n := r.Counts; n == (api.RetentionCounts{}) {
		fmt.Fprintln(w, c.say("The next pass removes nothing."))
	} else {
		fmt.Fprintln(w, c.say("The next pass removes %s, %s and %s, with their logs and images.",
			count(n.Runs, "run"), count(n.Releases, "release"), count(n.Artifacts, "artifact")))
	}
	c.verdicts(w, "GOES KIND WHY", r.Going)
	c.verdicts(w, "STAYS KIND WHY", r.Staying)
}

func (c *console) verdicts(w io.Writer, head string, all []delivery.Verdict) {
	if len(all) == 0 {
		return
	}
	rows := make([][]string, len(all))
	for i, v := range all {
		rows[i] = []string{v.Name, v.Kind, v.Why}
	}
	fmt.Fprintln(w)
	c.table(head, rows)
}
