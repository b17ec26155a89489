package enginetest

import (
	"context"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Chat takes every message. The zero value is ready. Calls: say, with the channel and,
// for each message, the event and what it is of; test, with the channel.
type Chat struct{ Script }

// Send implements engine.Chat.
func (c *Chat) Send(_ context.Context, ch delivery.Channel, ms []delivery.Message) error {
	var said []string
	for _, m := range ms {
		said = append(said, string(m.Event)+":"+m.Note.App+m.Note.Version+":"+m.Note.Env)
	}
	return c.do("say "+ch.Name+" "+strings.Join(said, ", "), func() error { return nil })
}

// Test implements engine.Chat.
func (c *Chat) Test(_ context.Context, ch delivery.Channel, by delivery.Actor) (answer string, err error) {
	err = c.do("test "+ch.Name+" "+by.String(), func() error {
		answer = "0 ok"
		return nil
	})
	return answer, err
}
