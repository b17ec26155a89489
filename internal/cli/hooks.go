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
		fmt.Fprintln(w, word(fmt.Sprintf("%s: %d refused since the server started, the last one %s ago: %s", r.Forge, r.Count, age(c.Now(), r.Last), r.Why)))
	}
}

// refOf names a tag as one; a branch is what everybody expects.
func refOf(p delivery.Push) string {
	if p.Tag != "" {
		return p.Ref()
	}
	return p.Branch
}

func hookRow(h delivery.Hook, now time.Time) []string {
	commit := delivery.Commit{SHA: h.Push.After}
	return []string{age(now, h.ReceivedAt), string(h.State), h.Push.Repo.Path, refOf(h.Push), commit.Short(), strconv.Itoa(len(h.Runs)), h.Note}
}
