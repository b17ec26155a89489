package githost_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/demo/githost"
	"github.com/shiplock/shiplock/internal/forge/gitlab"
)

var sha = strings.Repeat("ab", 20)

// standIn is a Host without Git, and the real client for it.
func standIn(t testing.TB, token string) (*githost.Host, *gitlab.Client) {
	t.Helper()
	host, err := githost.New(githost.Config{APIToken: apiToken})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(host)
	t.Cleanup(server.Close)
	client, err := gitlab.NewClient(gitlab.Config{URL: server.URL, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return host, client
}

func TestStatuses(t *testing.T) {
	host, client := standIn(t, apiToken)
	for _, state := range []delivery.CommitState{delivery.CommitPending, delivery.CommitPending, delivery.CommitRunning, delivery.CommitSuccess} {
		s := delivery.CommitStatus{ProjectID: "7", SHA: sha, State: state, Context: "shiplock/dev", Ref: "dev", URL: "http://ci/1", Description: "d"}
		if err := client.SetStatus(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", state, err)
		}
	}
	var states []string
	for _, s := range host.Statuses("7", sha) {
		states = append(states, s.State)
		if s.Name != "shiplock/dev" || s.Ref != "dev" || s.TargetURL != "http://ci/1" || s.Description != "d" || s.At.IsZero() {
			t.Errorf("%+v", s)
		}
	}
	if got := strings.Join(states, " "); got != "pending running success" {
		t.Errorf("states %s", got)
	}
	if n := host.StatusRequests(); n != 4 {
		t.Errorf("%d requests, want the refused one counted too", n)
	}
}

func TestStatusOfProjectByPath(t *testing.T) {
	host, client := standIn(t, apiToken)
	if err := client.SetStatus(t.Context(), delivery.CommitStatus{ProjectID: "acme/shop", SHA: sha, State: delivery.CommitSuccess}); err != nil {
		t.Fatal(err)
	}
	if n := len(host.Statuses("acme/shop", sha)); n != 1 {
		t.Errorf("%d statuses, want 1", n)
	}
}

func TestStatusRefusals(t *testing.T) {
	_, stranger := standIn(t, "other")
	err := stranger.SetStatus(t.Context(), delivery.CommitStatus{ProjectID: "7", SHA: sha, State: delivery.CommitRunning})
	if delivery.KindOf(err) != delivery.Denied {
		t.Errorf("wrong token: %v, want Denied", err)
	}
	_, client := standIn(t, apiToken)
	if err := client.SetStatus(t.Context(), delivery.CommitStatus{ProjectID: "7", SHA: sha, State: "done"}); delivery.KindOf(err) != delivery.Invalid {
		t.Errorf("unknown state: %v, want Invalid", err)
	}
	if err := client.SetStatus(t.Context(), delivery.CommitStatus{ProjectID: "7", SHA: sha, State: delivery.CommitRunning}); err != nil {
		t.Fatal(err)
	}
	if err := client.SetStatus(t.Context(), delivery.CommitStatus{ProjectID: "7", SHA: sha, State: delivery.CommitPending}); delivery.KindOf(err) != delivery.Invalid {
		t.Errorf("back to pending: %v, want Invalid", err)
	}
}

func TestWait(t *testing.T) {
	host, client := standIn(t, apiToken)
	got := make(chan githost.Status, 1)
	go func() {
		s, err := host.Wait(t.Context(), "7", sha, "success")
		if err != nil {
			t.Error(err)
		}
		got <- s
	}()
	for _, state := range []delivery.CommitState{delivery.CommitRunning, delivery.CommitSuccess} {
		if err := client.SetStatus(t.Context(), delivery.CommitStatus{ProjectID: "7", SHA: sha, State: state}); err != nil {
			t.Fatal(err)
		}
	}
	if s := <-got; s.State != "success" || s.Project != "7" || s.SHA != sha {
		t.Errorf("%+v", s)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)
	if _, err := host.Wait(ctx, "7", sha, "failed"); !errors.Is(err, reason) {
		t.Errorf("%v, want the context's cause", err)
	}
}

func TestStandInHasNoGit(t *testing.T) {
	host, _ := standIn(t, apiToken)
	if _, err := host.CreateRepo(t.Context(), "acme/shop"); err == nil {
		t.Error("a repository without a directory")
	}
	w := httptest.NewRecorder()
	host.ServeHTTP(w, httptest.NewRequest("GET", "/acme/shop.git/info/refs?service=git-upload-pack", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("git request: %d, want 404", w.Code)
	}
}

func BenchmarkSetStatus(b *testing.B) {
	_, client := standIn(b, apiToken)
	states := []delivery.CommitState{delivery.CommitRunning, delivery.CommitSuccess}
	i := 0
	for b.Loop() {
		if err := client.SetStatus(b.Context(), delivery.CommitStatus{ProjectID: "7", SHA: sha, State: states[i%2]}); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
