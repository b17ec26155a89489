package server

import (
	"context"

	"github.com/shiplock/shiplock/internal/api"
)

func (s *Server) retention(ctx context.Context, _ *nothing) (api.RetentionReport, error) {
	return s.cfg.Engine.Retention(ctx)
}
