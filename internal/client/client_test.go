package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

func serve(t *testing.T, h http.HandlerFunc) *client.Client {
	ts := httptest.NewServer(h)
	t.Cleanup(ts.Close)
	return client.New(ts.URL+"/", "slk_x")
}

func TestErrorsKeepKindAndText(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer slk_x" || r.URL.EscapedPath() != "/api/v1/runs/shop%2317" {
			t.Errorf("request %s %v", r.URL.EscapedPath(), r.Header)
		}
		w.WriteHeader(404)
		fmt.Fprint(w, `{"kind":"not_found","message":"there is no run shop#17"}`)
	})
	_, err := c.Run(t.Context(), "shop#17")
	if delivery.KindOf(err) != delivery.NotFound || err.Error() != "there is no run shop#17" {
		t.Errorf("%v", err)
	}
}

func TestOnlyReadsAreRepeated(t *testing.T) {
	var calls atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) < 3 {
			w.WriteHeader(503)
			return
		}
		fmt.Fprint(w, `{}`)
	})
	if _, err := c.Status(t.Context()); err != nil || calls.Load() != 3 {
		t.Errorf("read: %v after %d calls", err, calls.Load())
	}
	calls.Store(0)
	if _, err := c.StartRun(t.Context(), api.StartRun{}); err == nil || calls.Load() != 1 {
		t.Errorf("command: %v after %d calls", err, calls.Load())
	}
}

func TestUnreachable(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := client.New("http://127.0.0.1:1", "")
	if _, err := c.StartRun(ctx, api.StartRun{}); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("%v", err)
	}
	cancel()
	if _, err := c.Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// The connection breaks after every event; each line comes once all the same.
func TestLogsResume(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Last-Event-ID") {
		case "":
			fmt.Fprint(w, "retry: 1\n\nevent: lines\nid: 2\ndata: [{\"n\":1,\"text\":\"a\"},{\"n\":2,\"text\":\"b\"}]\n\nevent: lines\nid: 3\nda")
		case "2":
			fmt.Fprint(w, ": \n\nevent: lines\nid: 3\ndata: [{\"n\":3,\"text\":\"c\"}]\n\n")
		case "3":
			fmt.Fprint(w, "event: end\ndata: {\"state\":\"failed\",\"attempt\":2}\n\n")
		}
	})
	var got []string
	end, err := c.FollowLog(t.Context(), "shop", client.LogQuery{}, func(lines []api.LogLine) error {
		for _, l := range lines {
			got = append(got, l.Text)
		}
		return nil
	})
	if err != nil || strings.Join(got, "") != "abc" || end != (api.LogEnd{State: "failed", Attempt: 2}) {
		t.Errorf("%v %v %v", got, end, err)
	}
}

func TestHandlersEndStreams(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "event: history\nid: run/1@1.1\ndata: {\"name\":\"x\"}\n\n")
	})
	broken := errors.New("broken pipe")
	for _, want := range []error{nil, broken} {
		err := c.Follow(t.Context(), []string{"run/1"}, func(delivery.HistoryEntry) error {
			if want == nil {
				return client.Done()
			}
			return want
		})
		if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

// Who has seen enough at the first look is done as well as who sees it later.
func TestHandlersEndWatchesAtOnce(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"id":"r1","app":"shop","env":"prod","state":"paused"}`)
	})
	rel, err := c.WatchRelease(t.Context(), "r1", func(api.Release) error { return client.Done() })
	if err != nil || rel.State != delivery.ReleasePaused {
		t.Errorf("%s, %v", rel.State, err)
	}
	if _, err := c.WatchRun(t.Context(), "r1", func(api.Run) error { return client.Done() }); err != nil {
		t.Error(err)
	}
}
