package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

const (
	// maxAppLogs bounds how many logs of apps are read at once, by everybody.
	maxAppLogs = 64
	// defaultTail is how many lines of each instance are shown to who names no beginning.
	defaultTail = 100
	// batchOfLines bounds the lines of one event, and those that wait for a reader: a
	// slow one slows the reading down, and a stuck one is left by its write's time limit.
	batchOfLines = 64
	// answerAfter is how long an error may take to be answered as one.
	answerAfter = time.Second
)

type appLogInput struct {
	TargetPath
	Since    string `query:"since" maxLength:"20" doc:"how far back to begin, like 10m"`
	Tail     int    `query:"tail" minimum:"0" maximum:"100000" doc:"the last lines of each instance; 100 by default, and all with since"`
	Previous bool   `query:"previous" doc:"what was printed before the last restart"`
	Follow   bool   `query:"follow" doc:"go on with what comes, until the reader goes"`
}

func (in *appLogInput) query(now time.Time) (delivery.AppLogQuery, error) {
	q := delivery.AppLogQuery{Lines: in.Tail, Previous: in.Previous, Follow: in.Follow}
	if in.Previous && in.Follow {
		return q, delivery.E(delivery.Invalid, "what was printed before a restart does not grow: ask for previous or for follow")
	}
	if in.Since == "" {
		if q.Lines == 0 {
			q.Lines = defaultTail
		}
		return q, nil
	}
	var back delivery.Duration
	err := back.UnmarshalText([]byte(in.Since))
	q.Since = now.Add(-back.Std())
	return q, err
}

// streamAppLog sends what an app prints until its reader goes, or all is read.
func (s *Server) streamAppLog(w http.ResponseWriter, r *http.Request, in *appLogInput) error {
	q, err := in.query(s.cfg.Now())
	if err != nil {
		return err
	}
	t, err := s.findTarget(r.Context(), in.TargetPath)
	if err != nil {
		return err
	}
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	default:
		return delivery.E(delivery.Unavailable, fmt.Sprintf("%d logs of apps are being read already: end one, or try again later", maxAppLogs))
	}
	ctx, cancel := context.WithCancel(r.Context())
	lines, ended := make(chan delivery.AppLine, batchOfLines), make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended <- s.cfg.Apps.ReadLog(ctx, in.App, in.Env, q, func(l delivery.AppLine) error {
			select {
			case lines <- l:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		close(lines)
	}()
	defer func() { cancel(); <-done }()
	f := &appFollower{s: s, w: w, target: t, named: map[delivery.RevisionID]string{}, lines: lines, ended: ended}
	return f.follow(ctx)
}

// appFollower sends lines of an app to one reader.
type appFollower struct {
	s      *Server
	w      http.ResponseWriter
	out    *events // nil before the first byte
	target delivery.Target
	named  map[delivery.RevisionID]string
	lines  <-chan delivery.AppLine
	ended  <-chan error
}

// follow returns an error only before it has sent anything.
func (f *appFollower) follow(ctx context.Context) error {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	late := time.NewTimer(answerAfter)
	defer late.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-f.s.stopping:
			err = f.end(ctx, errStopping)
			return err
		case <-late.C:
			err = f.open()
		case <-beat.C:
			if err = f.still(ctx); err == nil {
				err = f.out.beat()
			}
		case l, more := <-f.lines:
			if !more {
				return f.end(ctx, <-f.ended)
			}
			err = f.send(ctx, l)
		}
		if err != nil {
			f.s.cfg.Log.Debug("the log of an app ended", "target", f.target.Key(), "request", requestID(ctx), "err", err)
			return nil
		}
	}
}

// still opens the stream, unless its reader has lost the role meanwhile.
func (f *appFollower) still(ctx context.Context) error {
	v, err := f.s.sight(ctx)
	if err == nil && !v.target(f.target.App, f.target.Env) {
		err = hidden("target", f.target.Key())
	}
	return errors.Join(err, f.open())
}

func (f *appFollower) open() (err error) {
	if f.out == nil {
		f.out, err = openEvents(f.w)
	}
	return err
}

// send sends a line, with those that are there already.
func (f *appFollower) send(ctx context.Context, first delivery.AppLine) error {
	if err := f.open(); err != nil {
		return err
	}
	batch := []api.AppLine{f.line(ctx, first)}
	for len(batch) < batchOfLines {
		select {
		case l, more := <-f.lines:
			if more {
				batch = append(batch, f.line(ctx, l))
				continue
			}
		default:
		}
		break
	}
	data, err := json.Marshal(batch)
	if err != nil {
		return err
	}
	return f.out.send(api.EventLines, "", data)
}

// line names the version of a line, and speaks the reader's language in ours.
func (f *appFollower) line(ctx context.Context, l delivery.AppLine) api.AppLine {
	if l.Note {
		l.Text = phrase.In(language(ctx), l.Text)
	}
	return api.AppLine{AppLine: l, Version: f.version(ctx, l.Revision)}
}

// version is how people know a revision; it looks once for one that it does not know.
func (f *appFollower) version(ctx context.Context, id delivery.RevisionID) string {
	if name, ok := f.named[id]; ok || id == "" {
		return name
	}
	name := api.VersionIn(f.target, id)
	if name == id.Short() {
		if t, err := f.s.cfg.Reader.Target(ctx, f.target.App, f.target.Env); err == nil {
			f.target = t
			name = api.VersionIn(t, id)
		}
	}
	f.named[id] = name
	return name
}

// end says why nothing follows, or returns it when nothing was sent yet.
func (f *appFollower) end(ctx context.Context, why error) error {
	if why != nil && f.out == nil && !errors.Is(why, errStopping) {
		return why
	}
	if err := f.open(); err != nil {
		return nil // the reader is gone
	}
	var end api.AppLogEnd
	if why != nil {
		end.Problem = phrase.In(language(ctx), why.Error())
	}
	data, err := json.Marshal(end)
	if err == nil {
		err = f.out.send(api.EventEnd, "", data)
	}
	if err != nil {
		f.s.cfg.Log.Debug("the log of an app ended", "target", f.target.Key(), "request", requestID(ctx), "err", err)
	}
	return nil
}
