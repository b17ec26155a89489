package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/api"
)

const (
	// silence is how long a stream may be without as much as a heartbeat.
	silence   = 45 * time.Second
	maxEvent  = 16 << 20
	maxPause  = 5 * time.Second
	giveUpFor = 2 * time.Minute // without any answer
)

// event is one server-sent event.
type event struct {
	name, id string
	data     []byte
}

// errDone ends a stream from within its handler.
var errDone = errors.New("done")

// stream calls handle for every event, and connects again, after the last event,
// when the connection breaks. It returns handle's error; nil when that is errDone.
func (c *Client) stream(ctx context.Context, path string, handle func(event) error) error {
	lastID := ""
	lost := time.Time{}
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := c.connect(ctx, path, lastID, func(e event) error {
			pause, lost = firstPause, time.Time{}
			if err := handle(e); err != nil {
				return final{err}
			}
			if e.id != "" {
				lastID = e.id
			}
			return nil
		})
		var own final
		switch {
		case errors.As(err, &own) && errors.Is(own.error, errDone):
			return nil
		case errors.As(err, &own):
			return own.error
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && !worthAnother(err):
			return err
		}
		if lost.IsZero() {
			lost = time.Now()
		}
		if time.Since(lost) > giveUpFor || !sleep(ctx, pause) {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// final is an error of the handler's: there is no use in connecting again.
type final struct{ error }

// connect reads one connection to its end. nil, or ErrUnreachable when it broke.
func (c *Client) connect(ctx context.Context, path, lastID string, handle func(event) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(silence, func() { cancel(ErrUnreachable) })
	defer watchdog.Stop()
	header := http.Header{"Accept": {"text/event-stream"}}
	if lastID != "" {
		header.Set("Last-Event-ID", lastID)
	}
	res, err := c.send(ctx, http.MethodGet, path, nil, header)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return readEvents(res.Body, func() { watchdog.Reset(silence) }, handle)
}

// readEvents parses an event stream until it ends; alive is called for every line.
func readEvents(r io.Reader, alive func(), handle func(event) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxEvent)
	var e event
	for lines.Scan() {
		alive()
		line := lines.Text()
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && e.name != "":
			if err := handle(e); err != nil {
				return err
			}
			e = event{}
		case field == "event":
			e.name = value
		case field == "id":
			e.id = value
		case field == "data":
			e.data = append(e.data, value...)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return nil
}

// LogQuery says which log, and from where.
type LogQuery struct {
	Attempt int    // 0 is the newest
	From    int64  // from 1; -n begins with the last n lines
	Step    string // only this step's lines, unless empty
}

func (q LogQuery) encode() string {
	v := url.Values{"attempt": {fmt.Sprint(q.Attempt)}, "from": {fmt.Sprint(q.From)}}
	if q.Step != "" {
		v.Set("step", q.Step)
	}
	return "?" + v.Encode()
}

// Logs reads a page of a job's log.
func (c *Client) Logs(ctx context.Context, run string, q LogQuery) (api.LogPage, error) {
	return fetch[api.LogPage](ctx, c, path("runs", run, "logs")+q.encode()+"&limit=10000")
}

// FollowLog calls handle with the lines of one attempt as they come, each once,
// until the attempt is over.
func (c *Client) FollowLog(ctx context.Context, run string, q LogQuery, handle func([]api.LogLine) error) (api.LogEnd, error) {
	var end api.LogEnd
	err := c.stream(ctx, path("runs", run, "logs", "stream")+q.encode(), func(e event) error {
		switch e.name {
		case api.EventLines:
			var lines []api.LogLine
			if err := json.Unmarshal(e.data, &lines); err != nil {
				return fmt.Errorf("read log lines: %w", err)
			}
			return handle(lines)
		case api.EventEnd:
			if err := json.Unmarshal(e.data, &end); err != nil {
				return fmt.Errorf("read the log's end: %w", err)
			}
			return errDone
		}
		return nil
	})
	return end, err
}
