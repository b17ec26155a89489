package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

const releaseUse = "Name the release by its id, or by APP --env ENV for the one under way (or waiting) there; watch and explain then take the last one when there is none."

func (c *console) releaseCommand() *cobra.Command {
	cmd := group(&cobra.Command{Use: "release", Short: "Bring artifacts to environments", Long: "Bring artifacts to environments, by canary or at once.\n\n" + releaseUse},
		c.releaseCreate(),
		c.listCommand("list", "Releases, the newest first", listOf((*client.Client).Releases, releaseHead, releaseRow), "app", "env", "state", "limit"),
		c.releaseShow(),
		c.releaseApprove(),
		c.releaseAsk(),
		c.onRelease("watch", "Watch a release until it is over", openOrLast, nil, c.watchRelease),
		also(c.onRelease("explain", "What holds a release up, or ended it", openOrLast, nil, c.explainRelease), "show"),
		c.releaseRollback(),
		c.releaseDiff(),
	)
	for _, v := range [][2]string{
		{"continue", "Go on to the next batch"}, {"full", "Go to all traffic at once"}, {"pause", "Stop batches from advancing"},
		{"resume", "Undo a pause"}, {"abort", "Go back to the old version, in mid-flight"}, {"cancel", "Withdraw a release that has not started"},
		{"reject", "End a release that you do not consent to, with --reason"},
	} {
		cmd.AddCommand(c.releaseVerb(v[0], v[1]))
	}
	return cmd
}

// also gives a verb another name.
func also(cmd *cobra.Command, name string) *cobra.Command {
	cmd.Aliases = append(cmd.Aliases, name)
	return cmd
}

// finder finds the release that people mean by an app and an environment.
type finder func(ctx context.Context, cl *client.Client, app, env string) (delivery.ReleaseID, error)

// onRelease makes a verb that takes one release.
func (c *console) onRelease(verb, short string, find finder, flags func(*cobra.Command), do func(ctx context.Context, cl *client.Client, id delivery.ReleaseID) error) *cobra.Command {
	var env string
	cmd := &cobra.Command{Use: verb + " RELEASE | APP --env ENV", Short: short, Long: short + ". " + releaseUse, Args: exactly(1)}
	cmd.Flags().StringVar(&env, "env", "", "take the release under way of the app in this environment")
	if flags != nil {
		flags(cmd)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cl, err := c.client()
		if err != nil {
			return err
		}
		id := delivery.ReleaseID(args[0])
		if env != "" {
			if id, err = find(cmd.Context(), cl, args[0], env); err != nil {
				return err
			}
		}
		return do(cmd.Context(), cl, id)
	}
	return c.completing(cmd)
}

// openOrLast finds the open release on a Target, or else the last that started.
func openOrLast(ctx context.Context, cl *client.Client, app, env string) (delivery.ReleaseID, error) {
	id, err := openRelease(ctx, cl, app, env)
	if delivery.KindOf(err) != delivery.NotFound {
		return id, err
	}
	const enough = 50 // of which some were canceled before they started
	page, listed := cl.Releases(ctx, client.Filter{App: app, Env: env, Limit: enough})
	if listed != nil {
		return "", listed
	}
	for _, r := range page.Items {
		if !r.StartedAt.IsZero() {
			return r.ID, nil
		}
	}
	return "", err
}

// openRelease finds the release under way on a Target, or the newest that waits.
func openRelease(ctx context.Context, cl *client.Client, app, env string) (delivery.ReleaseID, error) {
	t, err := cl.Target(ctx, app, env)
	switch {
	case err != nil:
		return "", err
	case t.Active != "":
		return t.Active, nil
	case len(t.Waiting) > 0:
		return t.Waiting[len(t.Waiting)-1], nil
	}
	return "", delivery.E(delivery.NotFound, fmt.Sprintf("no release is under way on %s/%s: see `shiplock release list --app %s --env %s`", app, env, app, env))
}

func (c *console) releaseVerb(verb, short string) *cobra.Command {
	var reason string
	return c.onRelease(verb, short, openRelease, func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&reason, "reason", "", "why, for others to see")
	}, func(ctx context.Context, cl *client.Client, id delivery.ReleaseID) error {
		r, err := cl.CommandRelease(ctx, id, verb, reason)
		if err != nil {
			return err
		}
		return c.print(r, func(w io.Writer) { printLines(w, c.releaseLines(r)) })
	})
}

func (c *console) releaseCreate() *cobra.Command {
	var ask api.CreateRelease
	var artifact string
	var watch bool
	cmd := &cobra.Command{Use: "create APP --env ENV", Short: "Release an artifact: the newest good one, what the environment promotes, or --run, --artifact or --from", Args: exactly(1)}
	f := cmd.Flags()
	f.StringVar(&ask.Env, "env", "", "the environment to release to")
	f.IntVar(&ask.Run, "run", 0, "the artifact of this run's number")
	f.StringVar(&artifact, "artifact", "", "the artifact with this digest")
	f.StringVar(&ask.From, "from", "", "what runs in this other environment, where it must be healthy")
	f.StringVar(&ask.Reason, "reason", "", "why, for others to see")
	f.BoolVar(&watch, "watch", false, "watch it until it is over")
	emergency := emergencyFlags(cmd, &ask)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := requireEnv(cmd, ask.Env); err != nil {
			return err
		}
		if err := emergency(); err != nil {
			return err
		}
		ask.App, ask.Artifact = args[0], delivery.Digest(artifact)
		if ask.Run != 0 && (artifact != "" || ask.From != "") || artifact != "" && ask.From != "" {
			return usageOf(cmd, "name one of --run, --artifact and --from")
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		r, err := cl.CreateRelease(cmd.Context(), ask)
		return c.made(cmd.Context(), cl, r, err, watch)
	}
	return c.completing(cmd)
}

func (c *console) releaseRollback() *cobra.Command {
	var env, to, reason string
	var watch bool
	cmd := &cobra.Command{Use: "rollback APP --env ENV", Short: "Roll back to the last good version, or to --to", Args: exactly(1)}
	cmd.Flags().StringVar(&env, "env", "", "the environment")
	cmd.Flags().StringVar(&to, "to", "", "a revision of `shiplock target history`")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for others to see")
	cmd.Flags().BoolVar(&watch, "watch", false, "watch it until it is over")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := requireEnv(cmd, env); err != nil {
			return err
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		r, err := cl.RollBack(cmd.Context(), args[0], env, api.RollBack{To: delivery.RevisionID(to), Reason: reason})
		return c.made(cmd.Context(), cl, r, err, watch)
	}
	return c.completing(cmd)
}

// made shows a new release, or watches it.
func (c *console) made(ctx context.Context, cl *client.Client, r api.Release, err error, watch bool) error {
	if err != nil {
		return err
	}
	if watch {
		return c.watchRelease(ctx, cl, r.ID)
	}
	return c.print(r, func(w io.Writer) {
		printLines(w, c.releaseLines(r))
		fmt.Fprintln(w, c.say("Next: %s", "shiplock release watch "+string(r.ID)))
	})
}

func (c *console) watchRelease(ctx context.Context, cl *client.Client, id delivery.ReleaseID) error {
	s := newScreen(c.Out, c.Terminal)
	r, err := cl.WatchRelease(ctx, id, func(r api.Release) error {
		if c.asJSON() {
			return c.printJSON(r)
		}
		s.show(c.releaseLines(r))
		return nil
	})
	if err != nil {
		return c.brokenOff(ctx, err, "the release goes on")
	}
	return goodIf(r.State == delivery.ReleaseDeployed)
}

// releaseShow is explain by the name that people try first.
func (c *console) releaseShow() *cobra.Command {
	return c.onRelease("show", "One release, with its approvals and what holds it up", openOrLast, nil, c.explainRelease)
}

func (c *console) explainRelease(ctx context.Context, cl *client.Client, id delivery.ReleaseID) error {
	r, err := cl.Release(ctx, id)
	var refused *client.Error
	if errors.As(err, &refused) && refused.Status == 404 {
		return fmt.Errorf("%w (for the one of an app, add --env ENV)", err)
	}
	if err != nil {
		return err
	}
	return c.print(r, func(w io.Writer) { printLines(w, c.releaseLines(r)) })
}

// releaseLines shows a release, its batches, and what holds it up.
func (c *console) releaseLines(r api.Release) []string {
	head := fmt.Sprintf("%s → %s  %s %s  %s", r.App, r.Env, c.in(string(r.Kind)), revision(r.Revision), c.in(string(r.State)))
	if r.Ending != "" && !r.State.Terminal() {
		head += c.say(", going back to the old version (%s)", r.Ending)
	}
	if d := took(r.StartedAt, r.FinishedAt); d != "" {
		head += "  " + d
	}
	out := append([]string{word(head)}, c.emergencyLines(r)...)
	if r.Kind == delivery.ReleaseScale {
		out = append(out, "  "+c.scaledTo(r.Replicas))
	}
	if r.From != "" {
		out = append(out, word("  promoted from "+r.From))
	}
	if r.Moved != nil {
		out = append(out, word("  "+r.Moved.String()))
	}
	out = append(out, c.approvalLines(r)...)
	for i, b := range r.Batches {
		if b.StartedAt.IsZero() {
			continue
		}
		out = append(out, c.batchLine(i, len(r.Batches), b))
	}
	out = append(out, c.comingLines(r)...)
	if r.Manual {
		out = append(out, c.manualLines(r.ReleaseSummary)...)
	}
	if r.Pause != nil {
		out = append(out, word(c.pausedBy(*r.Pause)), c.say("Next: %s", fmt.Sprintf("shiplock release resume %s --env %s", r.App, r.Env)))
	}
	out = append(out, c.causeLines(r.Cause)...)
	out = append(out, c.startLines(r)...)
	for _, b := range r.Blockers {
		out = append(out, c.causeLines(&b)...)
	}
	return out
}

// comingLines show how far the new version is while its batch is not healthy, and what
// keeps it.
func (c *console) comingLines(r api.Release) []string {
	if r.Observed == nil || r.State.Terminal() || r.Ending != "" {
		return nil
	}
	v := r.Observed.Of(r.Revision.ID)
	if v == nil || v.Healthy() {
		return nil
	}
	out := []string{c.say("  %d of %d instances of the new version are ready", v.Ready, v.Total)}
	if r.Cause == nil {
		out = append(out, c.causeLines(v.Cause)...)
	}
	return out
}

// manualLines says what a person can do with a batch that waits for one.
func (c *console) manualLines(r api.ReleaseSummary) []string {
	return []string{
		c.say("Holds at %d %% until a person continues.", r.Batches[r.Batch].Asked),
		c.say("Next: %s (or full, or abort)", fmt.Sprintf("shiplock release continue %s --env %s", r.App, r.Env)),
	}
}

func (c *console) pausedBy(p delivery.Cancellation) string {
	if p.Reason == "" {
		return c.say("Paused by %s.", p.By)
	}
	return c.say("Paused by %s: %s", p.By, p.Reason)
}

func (c *console) batchLine(i, n int, b api.ReleaseBatch) string {
	line := "  " + c.say("batch %d of %d: asked %d %%", i+1, n, b.Asked)
	switch {
	case b.ReadyAt.IsZero() && !b.PassedAt.IsZero():
		return line + c.say(", left out")
	case b.ReadyAt.IsZero():
		return line + c.say(", not healthy yet")
	}
	line += c.say(", effective %d %%, healthy after %s", b.Effective, took(b.StartedAt, b.ReadyAt))
	if b.Hold != "none" && b.PassedAt.IsZero() {
		line += c.say(", holds: %s", b.Hold)
	}
	return line
}
