package cli

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

const cacheHead = "CACHE STACK DOMAIN SIZE FILES HITS USED MADE BY ID"

func cacheRow(s api.CacheSnapshot, now time.Time) []string {
	return []string{
		s.Name, s.Stack, s.Domain, delivery.ByteSize(s.Bytes), strconv.Itoa(s.Files), strconv.FormatInt(s.Hits, 10),
		age(now, s.UsedAt), age(now, s.CreatedAt), s.Run, s.ID,
	}
}

func (c *console) cacheCommand() *cobra.Command {
	var d api.DropCaches
	drop := &cobra.Command{
		Use: "drop [ID...]", Short: "Drop caches, such as broken or poisoned ones",
		Long: `Drop caches: builds that start from here on do without them, and nothing that a running
build makes of one is kept. Name them by id, as of ` + "`shiplock get caches`" + `, or by what they have in common.`,
	}
	f := drop.Flags()
	f.StringVar(&d.Domain, "domain", "", `of this trust domain: "protected", or "app-" and an app's name`)
	f.StringVar(&d.Stack, "stack", "", "of this stack")
	f.StringVar(&d.Name, "name", "", "with this name")
	f.StringVar(&d.App, "app", "", "made by a run of this app")
	f.BoolVar(&d.All, "all", false, "all there are")
	f.StringVar(&d.Reason, "reason", "", "why, for others to see")
	drop.RunE = func(cmd *cobra.Command, args []string) error {
		d.IDs = args
		if d.Names() == d.All {
			return usageOf(cmd, "which caches? name an id, --domain, --stack, --name or --app, or say --all")
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		dropped, err := cl.DropCaches(cmd.Context(), d)
		if err != nil {
			return err
		}
		return c.print(dropped, func(w io.Writer) {
			var sum int64
			for _, s := range dropped.Items {
				fmt.Fprintln(w, word(c.say("dropped %s of %s, %s: %s made by %s", s.Name, s.Stack, s.Domain, delivery.ByteSize(s.Bytes), s.Run)))
				sum += s.Bytes
			}
			fmt.Fprintln(w, c.say("Dropped %s, %s in all.", count(len(dropped.Items), "cache"), delivery.ByteSize(sum)))
		})
	}
	c.complete(drop)
	return group(&cobra.Command{Use: "cache", Short: "Look after the caches of builds"}, drop)
}
