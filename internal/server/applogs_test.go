package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// nowhere is where no app is deployed.
type nowhere struct{}

func (nowhere) Preview(context.Context, string, string, delivery.Desired) (delivery.Preview, error) {
	return delivery.Preview{}, nil
}

func (nowhere) ReadLog(context.Context, string, string, delivery.AppLogQuery, func(delivery.AppLine) error) error {
	return nil
}

// appLogs answers with lines and then an error; nothing when it is to follow.
type appLogs struct {
	nowhere
	asked chan delivery.AppLogQuery
	lines []delivery.AppLine
	err   error
}

func (a *appLogs) ReadLog(ctx context.Context, _, _ string, q delivery.AppLogQuery, hand func(delivery.AppLine) error) error {
	a.asked <- q
	for _, l := range a.lines {
		if err := hand(l); err != nil {
			return err
		}
	}
	if q.Follow {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return a.err
}

const appLogPath = "/api/v1/targets/shop/prod/logs/stream"

func newAppLogs(w *world, lines []delivery.AppLine, err error) *appLogs {
	a := &appLogs{asked: make(chan delivery.AppLogQuery, 10), lines: lines, err: err}
	w.server.cfg.Apps = a
	return a
}

func TestTheLogOfAnAppIsStreamedToItsEnd(t *testing.T) {
	w := newWorld(t)
	a := newAppLogs(w, []delivery.AppLine{
		{Pod: "shop-1", Revision: "sha256:0123456789abcdef", Text: "one"},
		{Note: true, Text: "3 older logs are left out: at most 50 are read at once"},
	}, nil)
	s := w.stream(appLogPath+"?tail=7&since=10m", "")
	var lines []api.AppLine
	for {
		e, ok := s.next()
		if !ok {
			t.Fatal("it ends without an end")
		}
		if e.name == api.EventEnd {
			break
		}
		var some []api.AppLine
		w.must(json.Unmarshal([]byte(e.data), &some))
		lines = append(lines, some...)
	}
	if len(lines) != 2 || lines[0].Text != "one" || lines[0].Version != "0123456789ab" {
		t.Errorf("lines %+v", lines)
	}
	q := <-a.asked
	if back := time.Since(q.Since); q.Lines != 7 || back < 10*time.Minute || back > 11*time.Minute {
		t.Errorf("asked for %+v", q)
	}
}

func TestWhoNamesNoBeginningGetsTheLastLines(t *testing.T) {
	w := newWorld(t)
	a := newAppLogs(w, nil, nil)
	w.stream(appLogPath, "")
	if q := <-a.asked; q.Lines != defaultTail || !q.Since.IsZero() {
		t.Errorf("asked for %+v", q)
	}
}

func TestALogThatIsNotThereIsRefused(t *testing.T) {
	w := newWorld(t)
	newAppLogs(w, nil, delivery.E(delivery.NotFound, "nothing of shop/prod runs"))
	for path, want := range map[string]int{
		appLogPath: http.StatusNotFound,
		appLogPath + "?previous=true&follow=true": http.StatusBadRequest,
		appLogPath + "?since=yesterday":           http.StatusBadRequest,
		"/api/v1/targets/none/prod/logs/stream":   http.StatusNotFound,
	} {
		if got := w.call("GET", path, nil, nil); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

func TestOnlySoManyLogsOfAppsAreReadAtOnce(t *testing.T) {
	w := newWorld(t)
	a := newAppLogs(w, []delivery.AppLine{{Text: "one"}}, nil)
	for range maxAppLogs {
		w.server.reading <- struct{}{}
	}
	if got := w.call("GET", appLogPath, nil, nil); got != http.StatusServiceUnavailable {
		t.Errorf("answered %d", got)
	}
	<-w.server.reading
	if e, ok := w.stream(appLogPath, "").next(); !ok || e.name != api.EventLines {
		t.Errorf("event %+v", e)
	}
	<-a.asked
}

// What an app prints is not held for a reader that takes nothing.
func TestAStuckReaderStopsTheReading(t *testing.T) {
	w := newWorld(t)
	var handed atomic.Int64
	w.server.cfg.Apps = endless{handed: &handed}
	stuck := &stuckWriter{header: http.Header{}, writing: make(chan struct{}, 1), release: make(chan struct{})}
	req := httptest.NewRequestWithContext(t.Context(), "GET", appLogPath+"?follow=true", nil)
	req.Header.Set("Authorization", "Bearer "+w.token)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.server.ServeHTTP(stuck, req)
	}()
	<-stuck.writing
	limit := int64(2*batchOfLines + 1)
	for before := int64(-1); before != handed.Load(); time.Sleep(20 * time.Millisecond) {
		before = handed.Load()
	}
	if n := handed.Load(); n > limit {
		t.Errorf("%d lines were read for a reader that takes nothing", n)
	}
	close(stuck.release)
	<-done
}

// endless prints as fast as it is let.
type endless struct {
	nowhere
	handed *atomic.Int64
}

func (e endless) ReadLog(_ context.Context, _, _ string, _ delivery.AppLogQuery, hand func(delivery.AppLine) error) error {
	for {
		if err := hand(delivery.AppLine{Text: "again"}); err != nil {
			return err
		}
		e.handed.Add(1)
	}
}

// stuckWriter takes nothing until it is released, and fails then.
type stuckWriter struct {
	header           http.Header
	writing, release chan struct{}
}

func (s *stuckWriter) Header() http.Header              { return s.header }
func (s *stuckWriter) WriteHeader(int)                  {}
func (s *stuckWriter) SetReadDeadline(time.Time) error  { return nil }
func (s *stuckWriter) SetWriteDeadline(time.Time) error { return nil }
func (s *stuckWriter) Write([]byte) (int, error) {
	select {
	case s.writing <- struct{}{}:
	default:
	}
	<-s.release
	return 0, http.ErrHandlerTimeout
}
