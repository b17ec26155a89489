package server

import (
	"encoding/json"
	"net/http"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// The runners' protocol: see api.Claim. Runners authenticate with the claim code
// or the token of their attempt, which only the engine can judge.

func (s *Server) runnerClaim(w http.ResponseWriter, r *http.Request) {
	answerRunner(s, w, r, func(c api.Claim) (api.Assignment, error) { return s.cfg.Engine.Claim(r.Context(), c) })
}

func (s *Server) runnerPlan(w http.ResponseWriter, r *http.Request) {
	answerRunner(s, w, r, func(source api.Source) (api.Refined, error) {
		return s.cfg.Engine.Refine(r.Context(), r.PathValue("key"), bearer(r), source)
	})
}

func (s *Server) runnerPush(w http.ResponseWriter, r *http.Request) {
	answerRunner(s, w, r, func(api.PushAsk) (api.PushLogin, error) {
		return s.cfg.Engine.OpenPush(r.Context(), r.PathValue("key"), bearer(r))
	})
}

func (s *Server) runnerReports(w http.ResponseWriter, r *http.Request) {
	answerRunner(s, w, r, func(reports api.Reports) (api.ReportsAck, error) {
		return s.cfg.Engine.Report(r.Context(), r.PathValue("key"), bearer(r), reports)
	})
}

func (s *Server) runnerLog(w http.ResponseWriter, r *http.Request) {
	answerRunner(s, w, r, func(b api.LogBatch) (api.LogAck, error) {
		return s.cfg.Engine.AppendLog(r.Context(), r.PathValue("key"), bearer(r), b)
	})
}

// maxRunnerBody allows for a full batch of log lines (4 MiB of text) in JSON.
const maxRunnerBody = 2*maxBody + 1<<20

func answerRunner[In, Out any](s *Server, w http.ResponseWriter, r *http.Request, do func(In) (Out, error)) {
	var in In
	if err := decodeBody(w, r, maxRunnerBody, &in); err != nil {
		s.fail(w, r, err)
		return
	}
	out, err := do(in)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, out)
}

func decodeBody(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	if err := dec.Decode(v); err != nil {
		return delivery.Wrap(delivery.Invalid, "the body is not the JSON that is asked for", err)
	}
	return nil
}
