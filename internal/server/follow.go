package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// lingering is how long the log of an attempt that is over, but was not closed
// because its runner was lost, is watched for late lines.
const lingering = time.Second

var errStopping = errors.New("the server is stopping")

// follower sends the growing log of one attempt to one reader.
type follower struct {
	s       *Server
	out     *events
	run     delivery.Run // as it was last seen
	job     string
	attempt int // 0 until the first one is admitted
	step    string
	from    int64
}

// tailed is one result of a LogTail.
type tailed struct {
	lines []api.LogLine
	err   error
}

// follow waits for the attempt, and then sends its lines until it is over.
func (f *follower) follow(ctx context.Context, changed <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	if begun, err := f.awaitAttempt(ctx, changed, beat.C); err != nil || !begun {
		cancel()
		return err
	}
	tail := f.s.cfg.Logs.Follow(f.run.AttemptKey(delivery.Job{Name: f.job, Attempt: f.attempt}), f.from)
	lines, done := make(chan tailed), make(chan struct{})
	go func() {
		defer close(done)
		pump(ctx, tail, lines)
	}()
	defer func() { cancel(); <-done }()
	return f.relay(ctx, lines, changed, beat.C)
}

// awaitAttempt waits until there is an attempt; it ends the stream when the job
// ended without one.
func (f *follower) awaitAttempt(ctx context.Context, changed <-chan struct{}, beat <-chan time.Time) (bool, error) {
	for {
		if err := f.look(ctx); err != nil {
			return false, err
		}
		if f.attempt > 0 {
			return true, nil
		}
		if f.over() {
			return false, f.end()
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-f.s.stopping:
			return false, errStopping
		case <-changed:
		case <-beat:
			if err := errors.Join(f.look(ctx), f.out.beat()); err != nil {
				return false, err
			}
		}
	}
}

// pump moves lines from the tail until it ends.
func pump(ctx context.Context, tail LogTail, lines chan<- tailed) {
	for {
		l, err := tail.Next(ctx)
		select {
		case lines <- tailed{l, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// relay sends what the tail delivers. The log's own end is the end; an attempt
// that was lost never closes its log, so silence after it is one too.
func (f *follower) relay(ctx context.Context, lines <-chan tailed, changed <-chan struct{}, beat <-chan time.Time) error {
	for {
		var silence <-chan time.Time
		if f.over() {
			silence = time.After(lingering)
		}
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-f.s.stopping:
			return errStopping
		case <-silence:
			return f.end()
		case <-beat:
			err = errors.Join(f.look(ctx), f.out.beat())
		case <-changed:
			err = f.look(ctx)
		case t := <-lines:
			if errors.Is(t.err, io.EOF) {
				if err := f.look(ctx); err != nil {
					return err
				}
				return f.end()
			}
			err = errors.Join(t.err, f.send(t.lines))
		}
		if err != nil {
			return err
		}
	}
}

// look reads the run again.
func (f *follower) look(ctx context.Context) error {
	run, err := f.s.seenRun(ctx, string(f.run.ID)) // its reader may have lost its roles
	if err != nil {
		return err
	}
	f.run = run
	if f.attempt == 0 {
		f.attempt = run.Job(f.job).Attempt
	}
	return nil
}

// over tells whether nothing more is expected of the attempt.
func (f *follower) over() bool {
	j := f.run.Job(f.job)
	if f.attempt == 0 {
		return j.State.Terminal()
	}
	return j.Attempt != f.attempt || !j.State.Active()
}

func (f *follower) send(lines []api.LogLine) error {
	if len(lines) == 0 {
		return nil
	}
	last := lines[len(lines)-1].N
	if f.step != "" {
		lines = ofStep(lines, f.step)
		if len(lines) == 0 {
			return nil
		}
	}
	data, err := json.Marshal(lines)
	if err != nil {
		return err
	}
	return f.out.send(api.EventLines, strconv.FormatInt(last, 10), data)
}

func ofStep(lines []api.LogLine, step string) []api.LogLine {
	var chosen []api.LogLine
	for _, l := range lines {
		if l.Step == step {
			chosen = append(chosen, l)
		}
	}
	return chosen
}

func (f *follower) end() error {
	data, err := json.Marshal(api.LogEnd{
		State: f.run.State(), Attempt: f.attempt, Retried: !f.run.Job(f.job).State.Terminal(),
	})
	if err != nil {
		return err
	}
	return f.out.send(api.EventEnd, "", data)
}
