package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// API speaks the public API with the administrator's token, and keeps asking while
// the server is away.
type API struct {
	t    testing.TB
	URL  string
	http *http.Client
}

// NewAPI returns an API client of the server.
func NewAPI(t testing.TB, s *Server) *API { return NewAPIAt(t, s.URL()) }

// NewAPIAt returns an API client of a server with AdminToken that is at url.
func NewAPIAt(t testing.TB, url string) *API {
	return &API{t: t, URL: url, http: &http.Client{Timeout: 10 * time.Second}}
}

// errAway means that nobody answered; the request may or may not have been heard.
var errAway = errors.New("the server is away")

// Do sends one request and decodes the answer into out.
func (a *API) Do(method, path string, body, out any) error {
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, a.URL+api.Prefix+path, in)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+AdminToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", errAway, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil || resp.StatusCode == http.StatusServiceUnavailable:
		return fmt.Errorf("%w: %s", errAway, text)
	case resp.StatusCode >= 300:
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	case out == nil:
		return nil
	}
	return json.Unmarshal(text, out)
}

// Must repeats a request until the server is there, and fails the test when the
// server refuses it.
func (a *API) Must(method, path string, body, out any) {
	a.t.Helper()
	var err error
	if !Eventually(30*time.Second, func() bool {
		err = a.Do(method, path, body, out)
		return !errors.Is(err, errAway)
	}) || err != nil {
		a.t.Fatalf("%v", err)
	}
}

// Runs returns all runs, the newest first.
func (a *API) Runs() []api.RunSummary {
	a.t.Helper()
	return all[api.RunSummary](a, "/runs")
}

// Releases returns all releases, the newest first.
func (a *API) Releases() []api.ReleaseSummary {
	a.t.Helper()
	return all[api.ReleaseSummary](a, "/releases")
}

// all reads every page of a list.
func all[T any](a *API, path string) []T {
	a.t.Helper()
	var items []T
	for next := ""; ; {
		var page api.Page[T]
		a.Must("GET", path+"?limit=500&before="+next, nil, &page)
		items = append(items, page.Items...)
		if next = page.Next; next == "" {
			return items
		}
	}
}

// Run returns one run whole.
func (a *API) Run(id delivery.RunID) api.Run {
	a.t.Helper()
	var r api.Run
	a.Must("GET", "/runs/"+string(id), nil, &r)
	return r
}

// Status returns the installation in short.
func (a *API) Status() api.Status {
	a.t.Helper()
	var s api.Status
	a.Must("GET", "/status", nil, &s)
	return s
}

// LogText returns a run's log as plain text.
func (a *API) LogText(id delivery.RunID) string {
	a.t.Helper()
	return a.AttemptLog(id, 0)
}

// AttemptLog returns the log of one attempt as plain text; 0 is the newest. It asks
// again while the server is away.
func (a *API) AttemptLog(id delivery.RunID, attempt int) string {
	a.t.Helper()
	var text string
	var err error
	if !Eventually(30*time.Second, func() bool {
		text, err = a.text(fmt.Sprintf("/runs/%s/logs.txt?attempt=%d", id, attempt))
		return !errors.Is(err, errAway)
	}) || err != nil {
		a.t.Fatalf("log of %s: %v", id, err)
	}
	return text
}

func (a *API) text(path string) (string, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, a.URL+api.Prefix+path, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+AdminToken)
	resp, err := a.http.Do(req)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errAway, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil || resp.StatusCode == http.StatusServiceUnavailable:
		return "", fmt.Errorf("%w: %s, %v", errAway, resp.Status, err)
	case resp.StatusCode != http.StatusOK:
		return "", errors.New(resp.Status)
	}
	return string(text), nil
}

// Doc is a catalog document as the API takes it.
type Doc struct {
	Kind string          `json:"kind"`
	Name string          `json:"name"`
	Spec json.RawMessage `json:"spec"`
}

// Document is a catalog document for Apply.
func Document(kind, name, spec string) Doc {
	return Doc{Kind: kind, Name: name, Spec: json.RawMessage(spec)}
}

// Apply applies documents.
func (a *API) Apply(docs ...Doc) {
	a.t.Helper()
	a.Must("POST", "/catalog", map[string]any{"manager": "test", "documents": docs}, nil)
}

// Eventually asks until ok, or the limit; it returns whether ok came true.
func Eventually(limit time.Duration, ok func() bool) bool {
	deadline := time.Now().Add(limit)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(pause)
	}
}

// Lines splits text into lines without the empty last one.
func Lines(text string) []string { return strings.Split(strings.TrimRight(text, "\n"), "\n") }
