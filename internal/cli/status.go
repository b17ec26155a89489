package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
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
		return c.print(s, func(w io.Writer) { c.showStatus(w, s) })
	}}
}

func (c *console) showStatus(w io.Writer, s api.Status) {
	rows := make([][]string, len(s.Apps))
	for i, a := range s.Apps {
		rows[i] = []string{a.Name}
		for _, env := range s.Environments {
			rows[i] = append(rows[i], c.cell(a.Targets[env]))
		}
	}
	if len(rows) == 0 {
		fmt.Fprintln(w, c.say("There are no apps yet: add some with `shiplock apply -f DIR`."))
		return
	}
	c.table("APP "+strings.ToUpper(strings.Join(s.Environments, " ")), rows)
	n := s.Counts
	fmt.Fprintf(w, "\n%s\n", c.say("%s running, %d queued, %s under way, %d waiting", count(n.Running, "run"), n.Queued, count(n.Releases, "release"), n.Waiting))
	if len(s.Silent) > 0 {
		fmt.Fprintln(w, word(c.silentLine(s.Silent)))
	}
	printLines(w, c.causeLines(s.Away))
	if s.Reconciler != nil && (s.Reconciler.Recovered > 0 || len(s.Reconciler.Failing) > 0) {
		printLines(w, c.reconcilerLines(*s.Reconciler))
	}
	for _, r := range s.Runs {
		fmt.Fprintln(w, word(fmt.Sprintf("  %s → %s  %s  %s", r.Name, r.Env, c.in(runState(r)), age(c.Now(), r.CreatedAt))))
		printIndented(w, c.causeLines(r.Cause))
	}
	for _, r := range s.Releases {
		fmt.Fprintln(w, word(fmt.Sprintf("  %s → %s  %s %s  %s, %s  %s", r.App, r.Env, c.in(string(r.Kind)), revision(r.Revision), c.in(string(r.State)), r.Describe, age(c.Now(), r.CreatedAt))))
		if r.Manual {
			printIndented(w, c.manualLines(r))
		}
		printIndented(w, c.causeLines(r.Cause))
	}
}

// silentLine names a few of the apps whose repository never sent a hook.
func (c *console) silentLine(apps []string) string {
	const shown = 5
	names := strings.Join(apps[:min(shown, len(apps))], ", ")
	if more := len(apps) - shown; more > 0 {
		names = c.say("%s and %d more", names, more)
	}
	return c.say("no push hook ever came for %s: see `shiplock get hooks`", names)
}

func printIndented(w io.Writer, lines []string) {
	for _, l := range lines {
		fmt.Fprintln(w, "    "+l)
	}
}

// cell shows a Target in a few characters: "#17 healthy", "#18 25%, #17 75%".
func (c *console) cell(t api.TargetStatus) string {
	var parts []string
	for _, s := range t.Shares {
		if s.Asked+s.Effective > 0 { // another is kept warm
			parts = append(parts, fmt.Sprintf("#%d %d%%", s.RunNumber, s.Effective))
		}
	}
	if len(parts) > 1 {
		return strings.Join(parts, ", ")
	}
	if t.RunNumber == 0 {
		return c.in(string(t.State))
	}
	return fmt.Sprintf("#%d %s", t.RunNumber, c.in(string(t.State)))
}
