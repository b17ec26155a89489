package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// statusOf is the only table from kinds of errors to HTTP.
func statusOf(k delivery.Kind) int {
	switch k {
	case delivery.Invalid:
		return http.StatusBadRequest
	case delivery.NotFound:
		return http.StatusNotFound
	case delivery.Conflict:
		return http.StatusConflict
	case delivery.Denied:
		return http.StatusForbidden
	case delivery.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// problem is an error with its HTTP status, as it is answered.
type problem struct {
	status int
	body   api.Failure
	wait   time.Duration // before another attempt; 0 is a second
}

func (p *problem) Error() string  { return p.body.Message }
func (p *problem) GetStatus() int { return p.status }

// MarshalJSON writes the body alone: the framework encodes the error itself.
func (p *problem) MarshalJSON() ([]byte, error) { return json.Marshal(p.body) }

// GetHeaders asks callers of what is unavailable to wait.
func (p *problem) GetHeaders() http.Header {
	if p.status != http.StatusServiceUnavailable && p.status != http.StatusTooManyRequests {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(max(1, int(p.wait.Round(time.Second).Seconds())))}}
}

func newProblem(status int, kind, msg string) *problem {
	return &problem{status: status, body: api.Failure{Problem: api.Problem{Kind: kind, Message: msg}}}
}

// unauthenticated answers a Denied of the log-in itself.
func unauthenticated(err error) error {
	if delivery.KindOf(err) != delivery.Denied {
		return err
	}
	return newProblem(http.StatusUnauthorized, delivery.Denied.String(), err.Error())
}

// in says the problem in a language.
func (p *problem) in(l phrase.Lang) *problem {
	said := *p
	said.body = api.In(l, p.body)
	return &said
}

// problemOf is an error as it is answered, in the language of the request.
func (s *Server) problemOf(ctx context.Context, err error) *problem {
	return s.classify(ctx, err).in(language(ctx))
}

// classify finds the status of an error, and logs what is our own.
func (s *Server) classify(ctx context.Context, err error) *problem {
	var p *problem
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, delivery.ErrGone):
		return newProblem(http.StatusGone, "gone", err.Error())
	case errors.As(err, &tooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, delivery.Invalid.String(), tooLargeText(tooLarge.Limit))
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return newProblem(statusClientGone, delivery.Unavailable.String(), "the caller went away")
	case errors.Is(err, context.DeadlineExceeded):
		return newProblem(http.StatusServiceUnavailable, delivery.Unavailable.String(), "it took too long: try again")
	}
	kind := delivery.KindOf(err)
	msg := err.Error()
	if kind == delivery.Internal {
		s.cfg.Log.Error("request failed", "request", requestID(ctx), "err", err)
		msg += " (the server's log has more: request " + requestID(ctx) + ")"
	}
	p = newProblem(statusOf(kind), kind.String(), msg)
	var faults catalog.Problems
	if errors.As(err, &faults) {
		p.body.Problems = faults
	}
	return p
}

// statusClientGone is for the log only: nobody reads the answer.
const statusClientGone = 499

// fail answers a plain handler's error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problemOf(r.Context(), err)
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	writeJSON(w, p.status, p.body)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the caller may be gone
}

// shownProblems is how many faults of a request's form are worth reading at once.
const shownProblems = 5

// frameworkProblem turns the framework's own errors into ours.
func frameworkProblem(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	msg := m.Detail
	for i, e := range m.Errors[:min(len(m.Errors), shownProblems)] {
		msg += [...]string{": ", "; "}[min(i, 1)] + e.Message
		if e.Location != "" {
			msg += " (" + e.Location + ")"
		}
	}
	if more := len(m.Errors) - shownProblems; more > 0 {
		msg += fmt.Sprintf("; and %d more", more)
	}
	kind := delivery.Invalid
	if m.Status >= http.StatusInternalServerError {
		kind = delivery.Internal
	}
	p := api.Problem{Kind: kind.String(), Message: cmp.Or(msg, http.StatusText(m.Status))}
	return api.In(language(ctx.Context()), p), nil
}
