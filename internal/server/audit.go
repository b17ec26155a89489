package server

import (
	"context"
	"strconv"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

func (s *Server) listAudit(ctx context.Context, in *PageInput) (api.Page[delivery.AuditEntry], error) {
	before, err := strconv.ParseInt(in.Before, 10, 64)
	if in.Before != "" && (err != nil || before < 1) {
		return api.Page[delivery.AuditEntry]{}, delivery.E(delivery.Invalid, "before is no number: use the next of the page before")
	}
	all, err := s.cfg.Reader.Audit(ctx, before, in.Limit)
	next := ""
	if len(all) == in.Limit {
		next = strconv.FormatInt(all[len(all)-1].Seq, 10)
	}
	return pageOf(all, next, same[delivery.AuditEntry]), err
}

type auditRecordsInput struct {
	After int64  `query:"after" minimum:"0" doc:"a sequence: the page begins after it"`
	Since string `query:"since" doc:"a time, as 2026-03-01T09:00:00Z: only what was done since then"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"200"`
}

func (s *Server) auditRecords(ctx context.Context, in *auditRecordsInput) (api.AuditPage, error) {
	var since time.Time
	if in.Since != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, in.Since); err != nil {
			return api.AuditPage{}, delivery.E(delivery.Invalid, "since is no time: write it as 2026-03-01T09:00:00Z")
		}
	}
	records, err := s.cfg.Engine.AuditRecords(ctx, principal(ctx), in.After, since, in.Limit)
	page := api.AuditPage{Items: orEmpty(records)}
	if len(records) == in.Limit {
		page.Next = records[len(records)-1].Seq
	}
	return page, err
}

func (s *Server) checkAudit(ctx context.Context, _ *nothing) (delivery.AuditCheck, error) {
	c, err := s.cfg.Engine.CheckAudit(ctx, principal(ctx))
	c.Faults = orEmpty(c.Faults)
	return c, err
}
