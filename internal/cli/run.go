package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

const runUse = "RUN is app#number, an id, or an app for its newest run."

func (c *console) runCommand() *cobra.Command {
	return group(&cobra.Command{Use: "run", Short: "Build and test commits", Long: "Build and test commits. " + runUse},
		c.runStart(),
		c.listCommand("list", "Runs, the newest first", listOf((*client.Client).Runs, runHead, runRow), "app", "env", "state", "limit"),
		c.onRun("watch RUN", "Watch a run until it is over", c.watchRun),
		c.runLogs(),
		c.onRun("explain RUN", "Why a run is where it is", c.explainRun),
		c.runCancel(),
	)
}

// onRun makes a verb that takes one run.
func (c *console) onRun(use, short string, do func(ctx context.Context, cl *client.Client, run string) error) *cobra.Command {
	return c.completing(&cobra.Command{Use: use, Short: short, Long: short + ". " + runUse, Args: exactly(1), RunE: func(cmd *cobra.Command, args []string) error {
		cl, err := c.client()
		if err != nil {
			return err
		}
		return do(cmd.Context(), cl, args[0])
	}})
}

func (c *console) runStart() *cobra.Command {
	var ask api.StartRun
	var watch bool
	cmd := &cobra.Command{Use: "start APP --env ENV", Short: "Start a run of a commit, or of the head of the environment's branch", Args: exactly(1)}
	cmd.Flags().StringVar(&ask.Env, "env", "", "the environment to build for")
	cmd.Flags().StringVar(&ask.Commit, "commit", "", "the whole SHA of a commit (default: the branch's head)")
	cmd.Flags().BoolVar(&watch, "watch", false, "watch it until it is over")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := requireEnv(cmd, ask.Env); err != nil {
			return err
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		ask.App = args[0]
		run, err := cl.StartRun(cmd.Context(), ask)
		if err != nil {
			return err
		}
		if watch {
			return c.watchRun(cmd.Context(), cl, string(run.ID))
		}
		return c.print(run, func(w io.Writer) {
			fmt.Fprintln(w, c.say("%s is %s for %s.", run.Name, run.State, run.Env))
			fmt.Fprintln(w, c.say("Next: %s", "shiplock run watch '"+run.Name+"'"))
		})
	}
	return c.completing(cmd)
}

func (c *console) runCancel() *cobra.Command {
	var reason string
	cmd := c.onRun("cancel RUN", "Cancel a run", func(ctx context.Context, cl *client.Client, name string) error {
		run, err := cl.CancelRun(ctx, name, reason)
		if err != nil {
			return err
		}
		return c.print(run, func(w io.Writer) { fmt.Fprintln(w, c.canceling(run)) })
	})
	cmd.Flags().StringVar(&reason, "reason", "", "why, for others to see")
	return cmd
}

func (c *console) canceling(r api.Run) string {
	if r.State.Terminal() {
		return c.say("%s is over: %s", r.Name, r.State)
	}
	return c.say("%s is being canceled.", r.Name)
}

func (c *console) watchRun(ctx context.Context, cl *client.Client, name string) error {
	s := newScreen(c.Out, c.Terminal)
	run, err := cl.WatchRun(ctx, name, func(r api.Run) error {
		if c.asJSON() {
			return c.printJSON(r)
		}
		s.show(c.runLines(r))
		return nil
	})
	if err != nil {
		return c.brokenOff(ctx, err, "the run goes on")
	}
	if !c.asJSON() {
		printLines(c.Out, c.causeLines(run.Cause))
		if run.State == delivery.RunFailed {
			fmt.Fprintln(c.Out, c.say("Log: %s", "shiplock run logs '"+run.Name+"'"))
		}
	}
	return goodIf(run.State == delivery.RunSucceeded)
}

func goodIf(good bool) error {
	if good {
		return nil
	}
	return errBadEnd
}

// runLines shows a run and its steps. Times are shown of what is over, so that a
// line changes only when something happened.
func (c *console) runLines(r api.Run) []string {
	head := fmt.Sprintf("%s → %s  %s", r.Name, r.Env, c.in(string(r.State)))
	if r.Queue != nil {
		head += " " + c.say("(%d of %d in line)", r.Queue.Position, r.Queue.Total)
	}
	if d := took(r.StartedAt, r.FinishedAt); d != "" {
		head += "  " + d
	}
	if results := c.results(r.Tests, r.Coverage); results != "" && r.State.Terminal() {
		head += "  " + results
	}
	out := []string{head}
	if r.Note != "" {
		out = append(out, "  "+word(r.Note))
	}
	if r.Cause != nil && !r.State.Terminal() {
		out = append(out, "  "+word(c.say("waits: %s", r.Cause.Text)))
	}
	for _, j := range r.Jobs {
		for _, l := range j.Lost {
			out = append(out, word("  ↻ "+c.say("attempt %d was lost: %s", l.Attempt, l.Cause.Text)))
		}
		for _, s := range j.Steps {
			if s.State != delivery.StepPending || r.State.Terminal() {
				out = append(out, c.stepLine(s))
				for _, w := range s.Warnings {
					out = append(out, "    ! "+word(w))
				}
			}
		}
		out = append(out, cacheLines(j)...)
	}
	return out
}

// cacheLines say what a job had of its caches, once it has ended.
func cacheLines(j delivery.Job) (out []string) {
	if j.Caches == nil {
		return nil
	}
	for _, u := range j.Caches.Uses {
		line := u.Describe(j.FinishedAt)
		if o := u.Outcome(); o != "" {
			line += "; " + strings.TrimPrefix(o, "cache "+u.Name+": ")
		}
		out = append(out, "    "+word(line))
	}
	if s := j.Caches.Saving(); s != "" {
		out = append(out, "    "+word(s))
	}
	return out
}

func (c *console) stepLine(s delivery.Step) string {
	line := fmt.Sprintf("  %s %-12s %s", stepMark(s.State), word(s.Name), took(s.StartedAt, s.FinishedAt))
	if results := c.results(s.Tests, s.Coverage); results != "" {
		line += "  " + results
	}
	if s.Usage.PeakMemory > 0 {
		line += fmt.Sprintf("  %d MiB", s.Usage.PeakMemory>>20)
	}
	return strings.TrimRight(line, " ")
}

func stepMark(s delivery.StepState) string {
	switch s {
	case delivery.StepSucceeded:
		return "✓"
	case delivery.StepFailed:
		return "✗"
	case delivery.StepRunning:
		return "▸"
	case delivery.StepSkipped, delivery.StepCanceled:
		return "–"
	}
	return "·"
}

func (c *console) explainRun(ctx context.Context, cl *client.Client, name string) error {
	ex, err := cl.ExplainRun(ctx, name)
	if err != nil {
		return err
	}
	return c.print(ex, func(w io.Writer) { printLines(w, c.explained(ex)) })
}

func (c *console) explained(ex api.Explanation) []string {
	out := []string{fmt.Sprintf("%s → %s  %s", ex.Run.Name, ex.Run.Env, c.in(string(ex.Run.State)))}
	out = append(out, c.causeLines(ex.Cause)...)
	if results := c.results(ex.Run.Tests, ex.Run.Coverage); results != "" {
		out = append(out, c.say("Results: %s", results))
	}
	for _, l := range ex.Lost {
		out = append(out, word(c.say("Attempt %d was lost at %s: %s", l.Attempt, l.At.Local().Format(time.DateTime), l.Cause.Text)))
	}
	if r := ex.Release; r != nil {
		out = append(out, word(c.say("Release %s to %s/%s: %s, %s", r.ID, r.App, r.Env, r.State, r.Describe)))
		out = append(out, c.causeLines(r.Cause)...)
	}
	for _, b := range ex.Blockers {
		out = append(out, c.causeLines(&b)...)
	}
	if ex.Cause == nil && ex.Release == nil && len(ex.Lost)+len(ex.Blockers) == 0 {
		out = append(out, c.unremarkable(ex.Run))
	}
	return out
}

// unremarkable says what can be done with a run that nothing is wrong with.
func (c *console) unremarkable(r api.RunSummary) string {
	if r.State == delivery.RunSucceeded && r.Artifact != "" {
		return c.say("Next: %s", fmt.Sprintf("shiplock release create %s --env %s --run %d", r.App, r.Env, r.Number))
	}
	return c.say("Nothing holds it up.")
}

func (c *console) runLogs() *cobra.Command {
	var follow bool
	var q client.LogQuery
	cmd := c.onRun("logs RUN", "Print a run's log", func(ctx context.Context, cl *client.Client, name string) error {
		if follow {
			return c.followLogs(ctx, cl, name, q)
		}
		return c.pageLogs(ctx, cl, name, q)
	})
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the run is over")
	cmd.Flags().StringVar(&q.Step, "step", "", "only this step")
	cmd.Flags().Int64Var(&q.From, "from", 1, "the first line; -n is the last n lines")
	cmd.Flags().IntVar(&q.Attempt, "attempt", 0, "the attempt (default: the newest)")
	return cmd
}

func (c *console) pageLogs(ctx context.Context, cl *client.Client, name string, q client.LogQuery) error {
	run, err := cl.Run(ctx, name)
	if err != nil {
		return err
	}
	c.sayAttempt(run, q.Attempt)
	for {
		page, err := cl.Logs(ctx, string(run.ID), q)
		if err != nil {
			return err
		}
		if err := c.printLog(page.Lines); err != nil {
			return err
		}
		if page.Next > page.Last || page.Next == q.From {
			return nil
		}
		q.From = page.Next
	}
}

// followLogs goes on through the attempts that follow one that was lost.
func (c *console) followLogs(ctx context.Context, cl *client.Client, name string, q client.LogQuery) error {
	run, err := cl.Run(ctx, name)
	if err != nil {
		return err
	}
	c.sayAttempt(run, q.Attempt)
	for {
		end, err := cl.FollowLog(ctx, string(run.ID), q, c.printLog)
		if err != nil || !end.Retried || q.Attempt > 0 {
			return err
		}
		fmt.Fprintln(c.Err, c.say("attempt %d was lost; the next one follows", end.Attempt))
		if err := c.awaitAttempt(ctx, cl, string(run.ID), end.Attempt+1); err != nil {
			return err
		}
		q.From = 1
	}
}

// sayAttempt says whose log follows, when there is more than one; 0 is the newest.
func (c *console) sayAttempt(run api.Run, attempt int) {
	if len(run.Jobs) == 0 || run.Jobs[0].Attempt < 2 {
		return
	}
	newest := run.Jobs[0].Attempt
	if attempt == 0 {
		attempt = newest
	}
	said := c.say("This is attempt %d of %d (see the others with --attempt N).", attempt, newest)
	for _, l := range run.Jobs[0].Lost {
		if l.Attempt == attempt {
			said = c.say("This is attempt %d of %d, which was lost: %s (see the others with --attempt N).", attempt, newest, word(l.Cause.Text))
		}
	}
	fmt.Fprintln(c.Err, said)
}

// awaitAttempt waits until the run has the attempt, or is over.
func (c *console) awaitAttempt(ctx context.Context, cl *client.Client, run string, attempt int) error {
	return cl.Follow(ctx, []string{"run/" + run}, func(delivery.HistoryEntry) error {
		r, err := cl.Run(ctx, run)
		if err != nil {
			return err
		}
		if r.State.Terminal() || len(r.Jobs) > 0 && r.Jobs[0].Attempt >= attempt {
			return client.Done()
		}
		return nil
	})
}

func (c *console) printLog(lines []api.LogLine) error {
	for _, l := range lines {
		var err error
		switch {
		case c.asJSON():
			err = c.printJSON(l)
		case c.Terminal:
			_, err = fmt.Fprintln(c.Out, neutral(l.Text))
		default:
			_, err = fmt.Fprintln(c.Out, l.Text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
