package main

import (
	"context"
	"io"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/internal/joblog"
	"github.com/shiplock/shiplock/internal/server"
	"github.com/shiplock/shiplock/internal/store"
)

// images checks and tags what runners pushed to the embedded registry.
type images struct {
	client   *image.Client
	registry string
}

func (i images) Accept(ctx context.Context, repository string, digest delivery.Digest, tag string) (int64, error) {
	return i.client.Tag(ctx, i.registry+"/"+repository+"@"+string(digest), tag)
}

// logs keeps job logs.
type logs struct{ store *joblog.Store }

func (l logs) Append(ctx context.Context, attempt string, b api.LogBatch) (api.LogAck, error) {
	lines := make([]joblog.Entry, len(b.Lines))
	for i, line := range b.Lines {
		lines[i] = joblog.Entry{At: line.At, Step: line.Step, Stream: line.Stream, Text: line.Text}
	}
	batch := joblog.Batch{First: b.First, Lines: lines}
	if b.Gap != nil {
		batch.Gap = &joblog.Gap{From: b.Gap.From, To: b.Gap.To, Reason: b.Gap.Reason}
	}
	ack, err := l.store.Append(ctx, attempt, batch)
	return api.LogAck(ack), err
}

func (l logs) Last(ctx context.Context, attempt string) (int64, error) {
	page, err := l.store.Read(ctx, attempt, joblog.Query{From: -1, Limit: 1})
	return page.Last, err
}

func (l logs) Refresh(attempts ...string) { l.store.Refresh(attempts...) }

func (l logs) Close(ctx context.Context, attempt, end string) error {
	return l.store.Finish(ctx, attempt, end)
}

func (l logs) Read(ctx context.Context, attempt string, from int64, limit int, step string) (api.LogPage, error) {
	page, err := l.store.Read(ctx, attempt, joblog.Query{From: from, Limit: limit, Step: step})
	return api.LogPage{Attempt: attempt, Lines: logLines(page.Lines), Next: page.Next, Last: page.Last, Closed: page.Closed}, err
}

func (l logs) WriteText(ctx context.Context, attempt string, w io.Writer) error {
	return l.store.WriteText(ctx, attempt, w)
}

func (l logs) Follow(attempt string, from int64) server.LogTail {
	return logTail{l.store.Follow(attempt, from)}
}

type logTail struct{ tail *joblog.Tail }

func (t logTail) Next(ctx context.Context) ([]api.LogLine, error) {
	lines, err := t.tail.Next(ctx)
	return logLines(lines), err
}

func logLines(lines []joblog.Line) []api.LogLine {
	out := make([]api.LogLine, len(lines))
	for i, l := range lines {
		out[i] = api.LogLine(l)
	}
	return out
}

// reader gives the server its own types.
type reader struct{ *store.Store }

func (r reader) Runs(ctx context.Context, f server.RunFilter) ([]delivery.Run, error) {
	return r.Store.Runs(ctx, store.RunFilter(f))
}

func (r reader) Releases(ctx context.Context, f server.ReleaseFilter) ([]delivery.Release, error) {
	return r.Store.Releases(ctx, store.ReleaseFilter(f))
}

func (r reader) Counts(ctx context.Context) (server.Counts, error) {
	c, err := r.Store.Counts(ctx)
	return server.Counts{
		HooksReceived: c.HooksReceived, JobsQueued: c.JobsQueued,
		JobsActive: c.JobsActive, ReleasesProposed: c.ReleasesProposed,
	}, err
}
