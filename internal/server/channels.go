package server

import (
	"context"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/checkup"
)

// Outboxes reads how sending to channels goes.
type Outboxes interface {
	// Outboxes lists those that ever sent.
	Outboxes(ctx context.Context) ([]delivery.Outbox, error)
	// CountOwed counts the messages of each channel that is owed any.
	CountOwed(ctx context.Context) (map[string]int, error)
}

type testChannelInput struct {
	Channel string `path:"channel"`
}

func (s *Server) listChannels(ctx context.Context, _ *nothing) (api.Page[api.Channel], error) {
	c, err := s.catalog.current(ctx)
	if err != nil {
		return api.Page[api.Channel]{}, err
	}
	v, err := s.sight(ctx)
	if err != nil {
		return api.Page[api.Channel]{}, err
	}
	channels, err := s.channels(ctx, c)
	channels = slices.DeleteFunc(channels, func(ch api.Channel) bool { return !v.selects(ch.Scope) })
	return api.Page[api.Channel]{Items: orEmpty(channels)}, err
}

func (s *Server) channels(ctx context.Context, c *shownCatalog) ([]api.Channel, error) {
	if len(c.channels) == 0 {
		return nil, nil
	}
	outboxes, err := s.cfg.Reader.Outboxes(ctx)
	if err != nil {
		return nil, err
	}
	owed, err := s.cfg.Reader.CountOwed(ctx)
	if err != nil {
		return nil, err
	}
	byName := map[string]delivery.Outbox{}
	for _, o := range outboxes {
		byName[o.Channel] = o
	}
	all := make([]api.Channel, len(c.channels))
	for i, ch := range c.channels {
		ch.Health = api.ChannelHealthOf(byName[ch.Name], owed[ch.Name])
		all[i] = ch
	}
	return all, nil
}

func (s *Server) testChannel(ctx context.Context, in *testChannelInput) (api.ChannelTest, error) {
	answer, err := s.cfg.Engine.TestChannel(ctx, principal(ctx), in.Channel)
	return api.ChannelTest{Answer: answer}, err
}

// channelsSeen are for the doctor.
func (s *Server) channelsSeen(ctx context.Context, shown *shownCatalog) ([]checkup.Channel, error) {
	all, err := s.channels(ctx, shown)
	seen := make([]checkup.Channel, len(all))
	for i, ch := range all {
		seen[i] = checkup.Channel{Name: ch.Name, Level: ch.Health.State, Owed: ch.Health.Owed, Refused: ch.Health.Refused, Why: ch.Health.Error}
	}
	return seen, err
}
