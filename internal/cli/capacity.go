package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

func (c *console) capacityCommand() *cobra.Command {
	return &cobra.Command{
		Use: "capacity", Short: "What builds may use, use, and wait for", Args: exactly(0),
		Long: `Show how many jobs may run at once and how many do, by lane; where builds run, with the
quota there and what their pods ask for; and why each one waits that has a place and does
not run yet.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			s, err := cl.Capacity(cmd.Context())
			if err != nil {
				return err
			}
			return c.print(s, func(w io.Writer) { c.showCapacity(w, s) })
		},
	}
}

func (c *console) showCapacity(w io.Writer, s api.Capacity) {
	taken, waiting := 0, 0
	rows := make([][]string, len(s.Lanes))
	for i, l := range s.Lanes {
		taken, waiting = taken+l.Taken, waiting+l.Waiting
		rows[i] = []string{strconv.Itoa(l.Lane), strings.Join(l.Environments, ","), strconv.Itoa(l.Taken), strconv.Itoa(l.Waiting)}
	}
	fmt.Fprintln(w, c.say("%d of %d places for jobs are taken, %s wait for one", taken, s.Places, count(waiting, "job")))
	c.section(w, "LANE ENVIRONMENTS TAKEN WAITING", rows)
	fmt.Fprintln(w)
	printLines(w, c.roomLines(s.Room))
	rows = nil
	for _, q := range s.Room.Quotas {
		rows = append(rows, []string{q.Quota, q.Resource, q.Used, q.Hard})
	}
	c.section(w, "QUOTA RESOURCE TAKEN LIMIT", rows)
	rows = nil
	for _, b := range s.Waiting {
		why := c.say("It is about to start.")
		if b.Cause != nil {
			why = b.Cause.Text
		}
		rows = append(rows, []string{b.Name, b.Env, age(c.Now(), b.Since), why})
	}
	c.section(w, "RUN ENV WAITS CAUSE", rows)
}

// section is a table below what was printed before; without rows it is left out.
func (c *console) section(w io.Writer, head string, rows [][]string) {
	if len(rows) > 0 {
		fmt.Fprintln(w)
		c.table(head, rows)
	}
}

func (c *console) roomLines(r delivery.Room) []string {
	if r.Executor == "local" {
		return []string{c.say("Builds run on the server's own machine, %d now.", r.Running.Builds)}
	}
	lines := []string{c.say("Builds run in pods of namespace %s on %s.", r.Namespace, r.Cluster)}
	if r.PriorityClass != "" {
		lines = append(lines, c.say("Their PriorityClass is %s.", r.PriorityClass))
	}
	if r.Away != nil {
		lines = append(lines, c.causeLines(r.Away)...)
	}
	return append(lines,
		c.say("Running: %s", asked(r.Running)),
		c.say("Pending: %s", asked(r.Pending)))
}

// asked is "2 pods, cpu 1, memory 2Gi".
func asked(u delivery.RoomUse) string {
	parts := []string{count(u.Builds, "pod")}
	for _, name := range slices.Sorted(maps.Keys(u.Requests)) {
		parts = append(parts, name+" "+u.Requests[name])
	}
	return strings.Join(parts, ", ")
}
