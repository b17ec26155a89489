package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

// hooks shows the deliveries, where they come from, and what was refused.
func hooks(ctx context.Context, c *console, cl *client.Client, f client.Filter) error {
	all, err := cl.Hooks(ctx, f)
	if err != nil {
		return err
	}
	return c.print(all, func(w io.Writer) { c.showHooks(w, all) })
}

func (c *console) showHooks(w io.Writer, all api.Hooks) {
	var rows, sources [][]string
	for _, h := range all.Items {
		rows = append(rows, hookRow(h, c.Now()))
	}
	for _, s := range all.Sources {
		sources = append(sources, []string{s.Forge, s.Repo, age(c.Now(), s.Last), s.Outcome, strings.Join(s.Apps, ", ")})
	}
	c.table("AGE STATE REPOSITORY BRANCH COMMIT RUNS NOTE", rows)
	if len(sources) > 0 {
		fmt.Fprintln(w)
		c.table("FORGE REPOSITORY LAST OUTCOME APPS", sources)
	}
	for _, r := range all.Refused {
		fmt.Fprintln(w, word(c.say("%s: %d refused since the server started, the last one %s ago: %s", r.Forge, r.Count, age(c.Now(), r.Last), r.Why)))
	}
	if all.Reconciler != nil {
		fmt.Fprintln(w)
		printLines(w, c.reconcilerLines(*all.Reconciler))
	}
}

// refOf names a tag as one; a branch is what everybody expects.
func refOf(p delivery.Push) string {
	if p.Tag != "" {
		return p.Ref()
	}
	return p.Branch
}

// reconcilerLines says how the search for pushes without a hook gets on.
func (c *console) reconcilerLines(r api.Reconciler) []string {
	looked := "not all so far"
	if !r.LookedAt.IsZero() {
		looked = "all within the last " + age(c.Now(), r.LookedAt)
	}
	what := fmt.Sprintf("%d repositories are", r.Repositories)
	if r.Repositories == 1 {
		what = "1 repository is"
	}
	lines := []string{c.say("%s looked at every %s for pushes whose hook never came, %s; %d recovered since the server started", what, shortDuration(r.Every), looked, r.Recovered)}
	if r.Recovered > 0 {
		lines = append(lines, c.say("Next: see that the webhooks of the repositories with recovered pushes are switched on; a forge may have disabled them"))
	}
	for _, f := range r.Failing {
		lines = append(lines, word("  "+c.say("%s cannot be looked at since %s: %s", f.Repo, age(c.Now(), f.Since), f.Why)))
	}
	return lines
}

// shortDuration leaves zeros out: 5m0s is 5m.
func shortDuration(d string) string {
	d = strings.TrimSuffix(d, "m0s") + map[bool]string{true: "m"}[strings.HasSuffix(d, "m0s")]
	return strings.TrimSuffix(d, "h0m") + map[bool]string{true: "h"}[strings.HasSuffix(d, "h0m")]
}

func hookRow(h delivery.Hook, now time.Time) []string {
	commit := delivery.Commit{SHA: h.Push.After}
	return []string{age(now, h.ReceivedAt), string(h.State), h.Push.Repo.Path, refOf(h.Push), commit.Short(), strconv.Itoa(len(h.Runs)), h.Note}
}
