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
)

const channelHead = "CHANNEL VENDOR TELLS HEALTH SENT LAST OWED MANAGER CAUSE"

func channels(cl *client.Client, ctx context.Context, _ client.Filter) (api.Page[api.Channel], error) {
	return cl.Channels(ctx)
}

func channelRow(ch api.Channel, now time.Time) []string {
	tells := make([]string, len(ch.Events))
	for i, e := range ch.Events {
		tells[i] = string(e)
	}
	h := ch.Health
	last := ""
	if !h.SentAt.IsZero() {
		last = age(now, h.SentAt)
	}
	return []string{
		ch.Name, string(ch.Vendor), strings.Join(tells, ","), string(h.State), strconv.FormatInt(h.Sent, 10), last,
		strconv.Itoa(h.Owed), ch.Manager, h.Error,
	}
}

func (c *console) channelCommand() *cobra.Command {
	test := &cobra.Command{
		Use: "test NAME", Short: "Send a test message, and show what the vendor answers", Args: exactly(1),
		Long: `Send a test message to a channel and show what its vendor answers. It counts against the
channel's limits like any other message. ` + "`shiplock get channels`" + ` shows how all channels are.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			t, err := cl.TestChannel(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.print(t, func(w io.Writer) {
				fmt.Fprintln(w, word(c.say("The channel %s took the message: its vendor answers %s", args[0], t.Answer)))
			})
		},
	}
	c.complete(test)
	return group(&cobra.Command{Use: "channel", Short: "Look after the channels that are told what happens"}, test)
}
