package gitlab_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge/gitlab"
)

func client(t testing.TB, handler http.HandlerFunc) *gitlab.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := gitlab.NewClient(gitlab.Config{URL: server.URL + "/gitlab/", Token: "glpat-x", Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestSetStatusRequest(t *testing.T) {
	var got map[string]string
	var path, token, method string
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		method, path, token = r.Method, r.URL.EscapedPath(), r.Header.Get("PRIVATE-TOKEN")
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusCreated)
	})
	err := c.SetStatus(t.Context(), delivery.CommitStatus{ProjectID: "acme/shop", SHA: after,
		State: delivery.CommitRunning, Context: "shiplock/dev", Ref: "dev", URL: "https://ci.example.com/runs/1",
		Description: strings.Repeat("船", 300),
	})
	if err != nil {
		t.Fatal(err)
	}
	if method != "POST" || path != "/gitlab/api/v4/projects/acme%2Fshop/statuses/"+after || token != "glpat-x" {
		t.Errorf("%s %s with token %q", method, path, token)
	}
	if n := utf8.RuneCountInString(got["description"]); n != 255 {
		t.Errorf("description of %d runes, want 255", n)
	}
	delete(got, "description")
	want := map[string]string{
		"state": "running", "name": "shiplock/dev", "ref": "dev", "target_url": "https://ci.example.com/runs/1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSetStatusAnswers(t *testing.T) {
	const refusal = `{"message":"Cannot transition status via :%s from :%s (Reason(s): Status cannot transition via \"%[1]s\")"}`
	for name, c := range map[string]struct {
		code  int
		body  string
		state delivery.CommitState
		ok    bool
		kind  delivery.Kind
	}{
		"created":           {code: 201, ok: true},
		"updated":           {code: 200, ok: true},
		"running again":     {code: 400, body: fmt.Sprintf(refusal, "run", "running"), state: delivery.CommitRunning, ok: true},
		"pending again":     {code: 400, body: fmt.Sprintf(refusal, "enqueue", "pending"), state: delivery.CommitPending, ok: true},
		"pending too late":  {code: 400, body: fmt.Sprintf(refusal, "enqueue", "running"), state: delivery.CommitPending, kind: delivery.Invalid},
		"bad request":       {code: 400, body: `{"message":"bad"}`, kind: delivery.Invalid},
		"too many jobs":     {code: 422, kind: delivery.Invalid},
		"not authenticated": {code: 401, kind: delivery.Denied},
		"forbidden":         {code: 403, kind: delivery.Denied},
		"no project":        {code: 404, kind: delivery.NotFound},
		"concurrent":        {code: 409, kind: delivery.Unavailable},
		"rate limit":        {code: 429, kind: delivery.Unavailable},
		"down":              {code: 502, kind: delivery.Unavailable},
		"moved":             {code: 301, kind: delivery.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			cl := client(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.code)
				io.WriteString(w, c.body)
			})
			err := cl.SetStatus(t.Context(), delivery.CommitStatus{ProjectID: "15", SHA: after, State: c.state})
			if (err == nil) != c.ok || err != nil && delivery.KindOf(err) != c.kind {
				t.Errorf("%v (%v), want %v", err, delivery.KindOf(err), c.kind)
			}
		})
	}
}

func TestSetStatusRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"":                              0,
		"junk":                          0,
		"-5":                            0,
		"7":                             7 * time.Second,
		"999999":                        time.Hour,
		"Thu, 05 Mar 2026 10:00:30 GMT": 30 * time.Second,
	} {
		c := client(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.Header().Set("Date", "Thu, 05 Mar 2026 10:00:00 GMT")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		err := c.SetStatus(t.Context(), delivery.CommitStatus{ProjectID: "15", SHA: after, State: delivery.CommitRunning})
		var wait interface{ RetryAfter() time.Duration }
		var got time.Duration
		if errors.As(err, &wait) {
			got = wait.RetryAfter()
		}
		if got != want || delivery.KindOf(err) != delivery.Unavailable {
			t.Errorf("Retry-After %q: wait %v, want %v (%v)", value, got, want, err)
		}
	}
}

func TestSetStatusWithoutAnswer(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	c, err := gitlab.NewClient(gitlab.Config{URL: server.URL, Token: "glpat-x"})
	if err != nil {
		t.Fatal(err)
	}
	err = c.SetStatus(t.Context(), delivery.CommitStatus{ProjectID: "15", SHA: after, State: delivery.CommitRunning})
	if delivery.KindOf(err) != delivery.Unavailable {
		t.Errorf("%v, want Unavailable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.SetStatus(ctx, delivery.CommitStatus{ProjectID: "15", SHA: after}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
}

func TestNewClientRefuses(t *testing.T) {
	for _, c := range []gitlab.Config{
		{URL: "", Token: "x"}, {URL: "git.example.com", Token: "x"}, {URL: "ftp://git.example.com", Token: "x"},
		{URL: "https://u:p@git.example.com", Token: "x"}, {URL: "https://git.example.com"},
		{URL: "https://git.example.com", Token: "a\nb"},
	} {
		if _, err := gitlab.NewClient(c); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%+v: %v, want Invalid", c, err)
		}
	}
}

func TestSetStatusKeepsItsConnection(t *testing.T) {
	seen := map[string]bool{}
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		seen[r.RemoteAddr] = true
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"id":1}`)
	})
	for range 5 {
		if err := c.SetStatus(t.Context(), delivery.CommitStatus{ProjectID: "15", SHA: after, State: delivery.CommitSuccess}); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 1 {
		t.Errorf("%d connections for 5 calls in turn", len(seen))
	}
}
