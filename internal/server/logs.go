package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// LogInput says which log, and from where.
type LogInput struct {
	RunPath
	Job     string `query:"job" doc:"the job; the first one by default"`
	Attempt int    `query:"attempt" minimum:"0" doc:"the attempt; the newest by default"`
	From    int64  `query:"from" doc:"the first line, from 1; -n is the last n lines"`
	Step    string `query:"step" doc:"only lines of this step"`
	LastID  string `header:"Last-Event-ID" doc:"the number of the last line that was received"`
}

type logPageInput struct {
	LogInput
	Limit int `query:"limit" minimum:"0" maximum:"10000" doc:"at most this many lines; 1000 by default"`
}

func (s *Server) readLog(ctx context.Context, in *logPageInput) (api.LogPage, error) {
	run, job, err := s.jobOf(ctx, in.LogInput)
	if err != nil {
		return api.LogPage{}, err
	}
	if job.Attempt == 0 {
		return api.LogPage{Lines: []api.LogLine{}, Next: max(in.From, 1), Closed: job.State.Terminal()}, nil
	}
	key := run.AttemptKey(job)
	page, err := s.cfg.Logs.Read(ctx, key, in.From, in.Limit, in.Step)
	page.Attempt = key
	if page.Lines == nil {
		page.Lines = []api.LogLine{}
	}
	return page, err
}

func (s *Server) logText(w http.ResponseWriter, r *http.Request, in *LogInput) error {
	run, job, err := s.jobOf(r.Context(), *in)
	if err != nil {
		return err
	}
	if job.Attempt == 0 {
		return delivery.E(delivery.NotFound, run.Name()+" has not started, so there is no log yet")
	}
	key := run.AttemptKey(job)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", key+".txt"))
	rc := http.NewResponseController(w)
	if err := s.cfg.Logs.WriteText(r.Context(), key, patient{w, rc}); err != nil {
		panic(http.ErrAbortHandler) // a download that broke off must not look whole
	}
	return nil
}

// patient gives every write its own time limit instead of one for all.
type patient struct {
	w  io.Writer
	rc *http.ResponseController
}

func (p patient) Write(b []byte) (int, error) {
	if err := p.rc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return p.w.Write(b)
}

// jobOf finds the job, with the attempt that is asked for.
func (s *Server) jobOf(ctx context.Context, in LogInput) (delivery.Run, delivery.Job, error) {
	run, err := s.seenRun(ctx, in.Run)
	if err != nil {
		return run, delivery.Job{}, err
	}
	name := in.Job
	if name == "" && len(run.Jobs) > 0 {
		name = run.Jobs[0].Name
	}
	job := run.Job(name)
	if job == nil {
		return run, delivery.Job{}, delivery.E(delivery.NotFound, fmt.Sprintf("%s has no job %q", run.Name(), name))
	}
	if in.Attempt > job.Attempt {
		return run, *job, delivery.E(delivery.NotFound, fmt.Sprintf("%s has had %d attempts of %s", run.Name(), job.Attempt, name))
	}
	j := *job
	if in.Attempt > 0 {
		j.Attempt = in.Attempt
	}
	return run, j, nil
}

// streamLog sends lines as they come; the id of an event is its last line's
// number. It ends with the attempt.
func (s *Server) streamLog(w http.ResponseWriter, r *http.Request, in *LogInput) error {
	run, job, err := s.jobOf(r.Context(), *in)
	if err != nil {
		return err
	}
	from := in.From
	if last, err := strconv.ParseInt(in.LastID, 10, 64); err == nil && last > 0 {
		from = last + 1
	}
	news := s.cfg.Engine.Live().Listen(func(ref delivery.Ref) bool { return ref == run.Ref() })
	defer news.Close()
	out, err := openEvents(w)
	if err != nil {
		return err
	}
	f := &follower{s: s, out: out, run: run, job: job.Name, attempt: in.Attempt, step: in.Step, from: from}
	if err := f.follow(r.Context(), news.Ready()); err != nil {
		s.cfg.Log.Debug("log stream ended", "run", run.Name(), "request", requestID(r.Context()), "err", err)
	}
	return nil
}
