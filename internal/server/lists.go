package server

import (
	"context"
	"net/http"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

type nothing struct{}

type limitInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	if _, err := s.cfg.Reader.CatalogVersion(r.Context()); err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, api.Version{Version: s.cfg.Version, RunnerProtocol: api.RunnerProtocol})
}

func (s *Server) who(ctx context.Context, _ *nothing) (api.Who, error) {
	p := principal(ctx)
	return api.Who{Name: p.Actor.Name, Kind: p.Actor.Kind, Admin: p.Grants.Admin, Groups: p.Grants.Groups, Only: p.Grants.Only}, nil
}

type artifactsInput struct {
	App   string `path:"app"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (s *Server) listArtifacts(ctx context.Context, in *artifactsInput) (api.Page[delivery.Artifact], error) {
	v, err := s.sight(ctx)
	if err != nil {
		return api.Page[delivery.Artifact]{}, err
	}
	all, err := s.cfg.Reader.Artifacts(ctx, in.App, in.Limit)
	all = slices.DeleteFunc(all, func(a delivery.Artifact) bool { return !v.target(a.App, a.Env) })
	return api.Page[delivery.Artifact]{Items: orEmpty(all)}, err
}

func same[T any](v T) T { return v }

// orEmpty makes JSON say [] for nothing.
func orEmpty[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}
