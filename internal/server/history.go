package server

import (
	"context"
	"slices"
	"strconv"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

type historyInput struct {
	Ref string `query:"ref" required:"true" doc:"an aggregate as kind/id"`
	PageInput
}

// listHistory returns the facts about one aggregate, the oldest first: unlike a
// list of things, a history is read forwards. The page may hold more than the
// limit, since it never splits a version.
func (s *Server) listHistory(ctx context.Context, in *historyInput) (api.Page[delivery.HistoryEntry], error) {
	marks, err := parseMarks([]string{in.Ref})
	if err != nil {
		return api.Page[delivery.HistoryEntry]{}, err
	}
	v, err := s.sight(ctx)
	if err == nil {
		err = s.mayFollow(ctx, v, marks)
	}
	if err != nil {
		return api.Page[delivery.HistoryEntry]{}, err
	}
	after, err := strconv.ParseInt(in.Before, 10, 64)
	if in.Before != "" && err != nil {
		return api.Page[delivery.HistoryEntry]{}, delivery.E(delivery.Invalid, "before is no version: use the next of the page before")
	}
	all, err := s.cfg.Reader.History(ctx, marks[0].ref, after, in.Limit)
	page := api.Page[delivery.HistoryEntry]{Items: orEmpty(slices.Clone(all))}
	if len(all) >= in.Limit {
		page.Next = strconv.FormatInt(all[len(all)-1].Version, 10)
	}
	return page, err
}
