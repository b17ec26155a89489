package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
)

func (c *console) targetCommand() *cobra.Command {
	var reason string
	withReason := func(cmd *cobra.Command) *cobra.Command {
		cmd.Flags().StringVar(&reason, "reason", "", "why, for others to see")
		return cmd
	}
	return group(&cobra.Command{Use: "target", Short: "An app in an environment"},
		c.onTarget("show", "What runs there", c.showTarget),
		c.onTarget("history", "What was deployed, the newest first", c.targetHistory),
		withReason(c.onTarget("pause", "Start no release until it is resumed; rollbacks still start", func(ctx context.Context, cl *client.Client, app, env string) error {
			t, err := cl.PauseTarget(ctx, app, env, reason)
			return c.printTarget(api.TargetDetail{Target: t}, err)
		})),
		c.onTarget("resume", "Undo a pause", func(ctx context.Context, cl *client.Client, app, env string) error {
			t, err := cl.ResumeTarget(ctx, app, env)
			return c.printTarget(api.TargetDetail{Target: t}, err)
		}),
		withReason(c.onTarget("restart", "Restart what runs", func(ctx context.Context, cl *client.Client, app, env string) error {
			r, err := cl.RestartTarget(ctx, app, env, reason)
			return c.made(ctx, cl, r, err, false)
		})),
	)
}

// onTarget makes a verb that takes APP --env ENV.
func (c *console) onTarget(verb, short string, do func(ctx context.Context, cl *client.Client, app, env string) error) *cobra.Command {
	var env string
	cmd := &cobra.Command{Use: verb + " APP --env ENV", Short: short, Args: exactly(1)}
	cmd.Flags().StringVar(&env, "env", "", "the environment")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := requireEnv(cmd, env); err != nil {
			return err
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		return do(cmd.Context(), cl, args[0], env)
	}
	return c.completing(cmd)
}

func (c *console) showTarget(ctx context.Context, cl *client.Client, app, env string) error {
	t, err := cl.Target(ctx, app, env)
	return c.printTarget(t, err)
}

func (c *console) printTarget(t api.TargetDetail, err error) error {
	if err != nil {
		return err
	}
	return c.print(t, func(w io.Writer) { printLines(w, c.targetLines(t)) })
}

func (c *console) targetLines(t api.TargetDetail) []string {
	out := []string{word(fmt.Sprintf("%s/%s  %s  %s", t.App, t.Env, c.in(string(t.State)), t.URL))}
	for _, v := range t.Versions {
		line := "  " + revision(v.RevisionSummary) + "  " + c.say("asked %d %%, effective %d %%, %d of %d ready", v.Asked, v.Effective, v.Ready, v.Total)
		out = append(out, word(line))
		out = append(out, c.causeLines(v.Cause)...)
	}
	if t.Scaled > 0 {
		out = append(out, c.say("Scaled to %d by hand, until the catalog has another number: see `shiplock scale --help`", t.Scaled))
	}
	out = append(out, c.driftLines(t.Target)...)
	if t.Active != "" {
		out = append(out, c.say("Release %s is under way.", t.Active))
	}
	for _, id := range t.Waiting {
		out = append(out, c.say("Release %s waits: see `shiplock release explain %s`", id, id))
	}
	if p := t.Paused; p != nil {
		out = append(out, word(c.pausedBy(*p)))
	}
	return out
}

// driftLines show what is not as it was applied, field by field.
func (c *console) driftLines(t api.Target) (out []string) {
	if len(t.Drift) > 0 {
		out = append(out, c.say("Changed by others since it was applied (%d):", len(t.Drift)))
	}
	for _, d := range t.Drift {
		line := c.say("%s %s is %s, wished for is %s", d.Object, d.Field, orNothing(d.Have), orNothing(d.Want))
		if d.By != "" {
			line += c.say(", by %s", d.By)
		}
		out = append(out, "  "+word(line))
	}
	if t.Behind && t.Active == "" {
		out = append(out, c.say("It is not as wished for, and is being put right."))
	}
	return out
}

func orNothing(value string) string {
	if value == "" {
		return "–"
	}
	return value
}

func (c *console) targetHistory(ctx context.Context, cl *client.Client, app, env string) error {
	page, err := cl.TargetHistory(ctx, app, env)
	if err != nil {
		return err
	}
	rows := make([][]string, len(page.Items))
	for i, d := range page.Items {
		if c.asJSON() {
			if err := c.printJSON(d); err != nil {
				return err
			}
		}
		rows[i] = []string{d.ID.Short(), revision(d.RevisionSummary), age(c.Now(), d.At), string(d.Release), deployedNote(d)}
	}
	if !c.asJSON() {
		c.table("REVISION VERSION AGE RELEASE NOTE", rows)
	}
	return nil
}

func deployedNote(d api.Deployed) string {
	switch {
	case d.Current:
		return "running"
	case d.Previous:
		return "a rollback goes here"
	case d.RolledBack:
		return "rolled back"
	}
	return ""
}
