package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

func (c *console) statusCommand() *cobra.Command {
	return &cobra.Command{Use: "status", Short: "The whole installation in short", Args: exactly(0), RunE: func(cmd *cobra.Command, _ []string) error {
		cl, err := c.client()
		if err != nil {
			return err
		}
		s, err := cl.Status(cmd.Context())
		if err != nil {
			return err
		}
		return c.print(s, func(w io.Writer) { showStatus(w, s) })
	}}
}

func showStatus(w io.Writer, s api.Status) {
	rows := make([][]string, len(s.Apps))
	for i, a := range s.Apps {
		rows[i] = []string{a.Name}
		for _, env := range s.Environments {
			rows[i] = append(rows[i], cell(a.Targets[env]))
		}
	}
	table(w, "APP "+strings.ToUpper(strings.Join(s.Environments, " ")), rows)
	n := s.Counts
	fmt.Fprintf(w, "\n%d running, %d queued, %d releases under way, %d waiting\n", n.Running, n.Queued, n.Releases, n.Waiting)
	for _, r := range s.Runs {
		line := fmt.Sprintf("  %s → %s  %s %s", r.Name, r.Env, r.State, r.Step)
		if r.Queue != nil {
			line += fmt.Sprintf("(%d of %d in line)", r.Queue.Position, r.Queue.Total)
		}
		fmt.Fprintln(w, word(line))
	}
	for _, r := range s.Releases {
		fmt.Fprintln(w, word(fmt.Sprintf("  %s → %s  %s, %s", r.App, r.Env, r.State, r.Describe)))
	}
}

// cell shows a Target in a few characters: "#17 healthy", "#17 75%+#18 25%".
func cell(t api.TargetStatus) string {
	if len(t.Shares) > 1 {
		var parts []string
		for _, s := range t.Shares {
			parts = append(parts, fmt.Sprintf("#%d %d%%", s.RunNumber, s.Effective))
		}
		return strings.Join(parts, "+")
	}
	if t.RunNumber == 0 {
		return string(t.State)
	}
	return fmt.Sprintf("#%d %s", t.RunNumber, t.State)
}

func (c *console) planCommand() *cobra.Command {
	var env string
	cmd := &cobra.Command{Use: "plan APP --env ENV", Short: "What a run would do, and why each line is there", Args: exactly(1)}
	cmd.Flags().StringVar(&env, "env", "", "the environment")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := requireEnv(cmd, env); err != nil {
			return err
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		p, err := cl.Plan(cmd.Context(), args[0], env)
		if err != nil {
			return err
		}
		return c.print(p, func(w io.Writer) { printLines(w, planLines(p)) })
	}
	return c.completing(cmd)
}

func planLines(p delivery.Plan) []string {
	out := []string{word(fmt.Sprintf("Plan %s, stack %s, at most %s", p.Digest.Short(), p.Stack, p.Timeout))}
	for i, s := range p.Steps {
		out = append(out, word(fmt.Sprintf("%2d. %s (at most %s)  # %s", i+1, s.Name, s.Timeout, s.Why)))
		for line := range strings.Lines(s.Run) {
			out = append(out, "      "+word(strings.TrimRight(line, "\n")))
		}
	}
	if img := p.Image; img != nil {
		out = append(out, word(fmt.Sprintf("Image %s on %s  # %s", img.Repository, img.Base, img.Why)))
		for line := range strings.Lines(img.Dockerfile) {
			out = append(out, "      "+word(strings.TrimRight(line, "\n")))
		}
	}
	return out
}
