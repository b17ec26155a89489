package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	approvalHead   = "TARGET VERSION BY AGE RELEASE WHY"
	reviewHead     = "TARGET VERSION STATE BY AGE RELEASE INCIDENT WHY"
	policyHead     = "POLICY ENVIRONMENTS APPS GROUPS EMERGENCY MANAGER"
	delegationHead = "DELEGATION FROM TO SINCE UNTIL MANAGER"
)

// approvalsCommand lists what waits for somebody's consent.
func (c *console) approvalsCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{Use: "approvals", Short: "Releases that wait for your approval", Args: exactly(0)}
	cmd.Flags().BoolVar(&all, "all", false, "those that wait for anybody")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cl, err := c.client()
		if err != nil {
			return err
		}
		read := (*client.Client).Approvals
		if all {
			read = (*client.Client).AllApprovals
		}
		return listOf(read, approvalHead, approvalRow)(cmd.Context(), c, cl, client.Filter{})
	}
	return cmd
}

func (c *console) reviewCommand() *cobra.Command {
	var note string
	closing := c.onRelease("close", "Close the review of an emergency", openOrLast, func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&note, "note", "", "what was found")
	}, func(ctx context.Context, cl *client.Client, id delivery.ReleaseID) error {
		return c.showAnswer(cl.CloseReview(ctx, id, note))
	})
	return group(&cobra.Command{Use: "review", Short: "Look at emergencies afterwards"},
		c.listCommand("list", "Emergencies that somebody has to look at", listOf((*client.Client).Reviews, reviewHead, reviewRow), "limit"),
		closing)
}

func (c *console) releaseApprove() *cobra.Command {
	var ask api.Approve
	return c.onRelease("approve", "Consent to a release", openRelease, func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&ask.Note, "note", "", "what you want to say to it")
		cmd.Flags().StringVar((*string)(&ask.Subject), "subject", "", "what you looked at, as of `shiplock release show`: refused when that has changed")
	}, func(ctx context.Context, cl *client.Client, id delivery.ReleaseID) error {
		return c.showAnswer(cl.Approve(ctx, id, ask))
	})
}

func (c *console) releaseAsk() *cobra.Command {
	return c.onRelease("ask", "Ask for approval again", openRelease, nil, func(ctx context.Context, cl *client.Client, id delivery.ReleaseID) error {
		return c.showAnswer(cl.Ask(ctx, id))
	})
}

// showAnswer shows a release as it is after a command.
func (c *console) showAnswer(r api.Release, err error) error {
	if err != nil {
		return err
	}
	return c.print(r, func(w io.Writer) { printLines(w, c.releaseLines(r)) })
}

// approvalLines show who has consented, and whose consent is lacking.
func (c *console) approvalLines(r api.Release) []string {
	a := r.Approval
	if a == nil {
		return nil
	}
	var out []string
	for _, v := range a.Votes {
		line := c.say("  approved by %s %s ago (%s)", v.By, age(c.Now(), v.At), v.Rule)
		if v.Note != "" {
			line += ": " + v.Note
		}
		out = append(out, word(line))
	}
	for _, g := range a.Groups {
		out = append(out, word(c.say("  %s: %d of %d", g.Name, g.Have, g.Min)))
	}
	if len(a.Groups) > 0 {
		out = append(out, c.say("  subject %s", a.Subject))
	}
	return out
}

// emergencyLines mark what takes the emergency lane, wherever it is shown.
func (c *console) emergencyLines(r api.Release) []string {
	em := r.Emergency
	if em == nil {
		return nil
	}
	mark := c.say("!! EMERGENCY: %s (%s)", r.Reason, em.Incident)
	if em.BreakGlass {
		mark = c.say("!! EMERGENCY, nobody asked: %s (%s)", r.Reason, em.Incident)
	}
	out := []string{word(mark)}
	switch {
	case r.UnderReview && r.State.Terminal():
		out = append(out, c.say("Next: %s", "shiplock review close "+string(r.ID)+" --note …"))
	case em.Review != nil:
		out = append(out, word(c.say("  reviewed by %s: %s", em.Review.By, em.Review.Reason)))
	}
	return out
}

func approvalRow(r api.Release, now time.Time) []string {
	why := ""
	for _, b := range r.Blockers {
		if strings.HasPrefix(b.Code, "approval.") {
			why = b.Text
		}
	}
	return []string{r.App + "/" + r.Env, marked(r.ReleaseSummary), r.By.String(), age(now, r.CreatedAt), string(r.ID), why}
}

func reviewRow(r api.ReleaseSummary, now time.Time) []string {
	return []string{r.App + "/" + r.Env, marked(r), string(r.State), r.By.String(), age(now, r.CreatedAt), string(r.ID), r.Emergency.Incident, r.Reason}
}

// emergencyMark is the watermark of emergencies in tables.
const emergencyMark = "EMERGENCY"

// marked is a version with the watermark of emergencies.
func marked(r api.ReleaseSummary) string {
	if r.Emergency != nil {
		return revision(r.Revision) + " " + emergencyMark
	}
	return revision(r.Revision)
}

func policyRow(p api.ApprovalPolicy, _ time.Time) []string {
	return []string{p.Name, strings.Join(p.Scope.Environments, ","), strings.Join(p.Scope.Apps, ","), groupsOf(p.Groups), groupsOf(p.Emergency.Groups), p.Manager}
}

func groupsOf(groups []delivery.ApprovalGroup) string {
	var all []string
	for _, g := range groups {
		all = append(all, strconv.Itoa(max(g.Min, 1))+" "+g.Name)
	}
	return strings.Join(all, " + ")
}

func delegationRow(d api.Delegation, _ time.Time) []string {
	since := ""
	if !d.Since.IsZero() {
		since = d.Since.Format(time.RFC3339)
	}
	return []string{d.Name, d.From.String(), d.To.String(), since, d.Until.Format(time.RFC3339), d.Manager}
}

// emergencyFlags are those of the emergency lane.
func emergencyFlags(cmd *cobra.Command, ask *api.CreateRelease) (read func() error) {
	var emergency, glass bool
	var incident string
	f := cmd.Flags()
	f.BoolVar(&emergency, "emergency", false, "take the emergency lane: no window, other approvers, with --reason and --incident")
	f.StringVar(&incident, "incident", "", "the link of the incident")
	f.BoolVar(&glass, "break-glass", false, "nobody can be reached: start without any approval, which is told to everybody and reviewed")
	return func() error {
		switch {
		case emergency || glass:
			ask.Emergency = &api.AskEmergency{Incident: incident, BreakGlass: glass}
		case incident != "":
			return usageOf(cmd, fmt.Sprintf("--incident %s has no effect without --emergency", incident))
		}
		return nil
	}
}
