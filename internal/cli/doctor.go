package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/checkup"
)

func (c *console) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "What is wrong with the installation, and what to mend", Args: exactly(0),
		Long: `Have the server check what it works with: its database and disk, the registry, the
cluster that builds run in and those of environments, with its rights there, hooks, and
clocks. Each line says how something is, and what to mend. Nothing is changed, but for a
small image in the registry. It ends with 1 when something does not work.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			began := c.Now()
			v, err := cl.Version(cmd.Context())
			if err != nil {
				return err
			}
			took := c.Now().Sub(began)
			d, err := cl.Doctor(cmd.Context())
			if err != nil {
				return err
			}
			reached := checkup.Reached(checkup.Answer{Server: v.Version, Client: c.Version, Took: took, Skew: d.Now.Sub(c.Now())})
			for i := range reached {
				reached[i].Found = reached[i].Found.In(c.lang)
			}
			d.Findings = append(reached, d.Findings...)
			d.Worst = checkup.Worst(d.Findings)
			if err := c.print(d, func(w io.Writer) { c.showFindings(w, d) }); err != nil {
				return err
			}
			if d.Worst == delivery.LevelBad {
				return errBadEnd
			}
			return nil
		},
	}
}

func (c *console) showFindings(w io.Writer, d api.Doctor) {
	levels := map[delivery.Level]int{}
	for _, f := range d.Findings {
		levels[f.Level]++
		fmt.Fprintf(w, "%-4s  %s: %s\n", c.in(string(f.Level)), word(c.in(f.Area)), word(f.Found.Text))
		if f.Level != delivery.LevelOK && f.Found.Next != "" {
			fmt.Fprintf(w, "      %s\n", c.say("Next: %s", word(f.Found.Next)))
		}
	}
	fmt.Fprintf(w, "\n%s\n", c.say("%d of %d findings are bad, and %d are warnings.", levels[delivery.LevelBad], len(d.Findings), levels[delivery.LevelWarn]))
}
