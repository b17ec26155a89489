package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

func (c *console) releaseDiff() *cobra.Command {
	var ask api.CreateRelease
	var artifact string
	cmd := &cobra.Command{
		Use:   "diff APP ENV | RELEASE [RELEASE]",
		Short: "What a release would change, before anything changes; or what differs between two",
		Long:  "What a release would change, before anything changes: the commits, the artifact, what it runs with, and on a cluster the fields of its objects, as the cluster itself answers to a trial. With one release, what that changes or has changed; with two, what differs between them. Secrets are hidden.",
	}
	f := cmd.Flags()
	f.IntVar(&ask.Run, "run", 0, "the artifact of this run's number")
	f.StringVar(&artifact, "artifact", "", "the artifact with this digest")
	f.StringVar(&ask.From, "from", "", "what runs in this other environment, where it must be healthy")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 || len(args) > 2 {
			return usageOf(cmd, "name an app and an environment, or one or two releases")
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		ask.Artifact = delivery.Digest(artifact)
		d, err := diffOf(cmd.Context(), cl, args, ask)
		if err != nil {
			return err
		}
		return c.print(d, func(w io.Writer) { printLines(w, c.diffLines(d)) })
	}
	return c.completingTarget(cmd)
}

// diffOf asks for what the arguments name: releases have ids that no app has.
func diffOf(ctx context.Context, cl *client.Client, args []string, ask api.CreateRelease) (api.Comparison, error) {
	first := delivery.ReleaseID(args[0])
	switch isRelease := uuid.Validate(args[0]) == nil; {
	case isRelease && len(args) == 1:
		return cl.DiffRelease(ctx, first, "")
	case isRelease:
		return cl.DiffRelease(ctx, first, delivery.ReleaseID(args[1]))
	case len(args) == 1:
		return api.Comparison{}, delivery.E(delivery.Invalid, fmt.Sprintf("%s is no release: name an app and an environment, or one or two releases", args[0]))
	}
	ask.App, ask.Env = args[0], args[1]
	return cl.DiffTarget(ctx, ask)
}

func (c *console) diffLines(d api.Comparison) []string {
	from := "–"
	if d.From != nil {
		from = revision(*d.From)
	}
	out := []string{word(fmt.Sprintf("%s/%s  %s → %s", d.App, d.Env, from, revision(d.To)))}
	if r := d.Commits; r != nil {
		out = append(out, c.rangeLines(*r)...)
	}
	object := ""
	for _, f := range d.Changes {
		if f.Object != object && f.Field != "" {
			out = append(out, "  "+word(f.Object))
		}
		object = f.Object
		out = append(out, c.changeLine(f))
	}
	if len(d.Changes) == 0 {
		out = append(out, "  "+c.say("Nothing differs."))
	}
	for _, r := range d.Refused {
		out = append(out, c.causeLines(&r)...)
	}
	return out
}

func (c *console) rangeLines(r delivery.CommitRange) []string {
	switch {
	case r.Unknown != "":
		return []string{"  " + word(c.say("The commits between cannot be counted: %s", r.Unknown))}
	case r.From.SHA == r.To.SHA:
		return []string{"  " + c.say("The same commit.")}
	}
	return []string{"  " + c.say("commits %s..%s: %d more, %d fewer", r.From.Short(), r.To.Short(), r.Ahead, r.Behind)}
}

// changeLine shows a field that comes with +, one that goes with -, and one that changes
// with ~; an object as a whole likewise.
func (c *console) changeLine(f delivery.Difference) string {
	by := ""
	if f.By != "" {
		by = "  " + c.say("(now owned by %s)", f.By)
	}
	switch {
	case f.Field == "" && f.To != "":
		return "  + " + word(f.Object)
	case f.Field == "":
		return "  - " + word(f.Object)
	case f.From == "":
		return word(fmt.Sprintf("    + %s: %s", f.Field, f.To)) + by
	case f.To == "":
		return word(fmt.Sprintf("    - %s: %s", f.Field, f.From)) + by
	}
	return word(fmt.Sprintf("    ~ %s: %s → %s", f.Field, f.From, f.To)) + by
}
