package server

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

const push = `{"object_kind":"push","before":"1111111111111111111111111111111111111111","after":"2222222222222222222222222222222222222222",
"ref":"refs/heads/dev","checkout_sha":"2222222222222222222222222222222222222222","user_username":"ann","project_id":7,
"project":{"id":7,"path_with_namespace":"team/shop","git_http_url":"http://git/team/shop","web_url":"http://git/team/shop"},
"commits":[{"id":"2222222222222222222222222222222222222222","message":"m","modified":["a"]}],"total_commits_count":1}`

func TestHooks(t *testing.T) {
	w := newWorld(t)
	send := func(path, token, id, event, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), "POST", w.url+path, strings.NewReader(body))
		w.must(err)
		req.Header.Set("X-Gitlab-Token", token)
		req.Header.Set("X-Gitlab-Event", event)
		req.Header.Set("Idempotency-Key", id)
		res, err := http.DefaultClient.Do(req)
		w.must(err)
		res.Body.Close()
		return res.StatusCode
	}
	large := string(bytes.Repeat([]byte(" "), maxHook+1))
	for _, c := range []struct {
		name, path, token, id, event, body string
		status                             int
	}{
		{"a wrong secret", "/hooks/gitlab", "wrong", "d1", "Push Hook", push, 401},
		{"no secret", "/hooks/gitlab", "", "d1", "Push Hook", push, 401},
		{"no JSON", "/hooks/gitlab", hookSecret, "d1", "Push Hook", "{", 400},
		{"too large", "/hooks/gitlab", hookSecret, "d1", "Push Hook", large, 413},
		{"of no interest", "/hooks/gitlab", hookSecret, "d2", "Note Hook", `{"object_kind":"note"}`, 200},
		{"an unknown forge", "/hooks/gitea", hookSecret, "d1", "Push Hook", push, 404},
		{"a push", "/hooks/gitlab", hookSecret, "d1", "Push Hook", push, 200},
		{"the same again", "/hooks/gitlab", hookSecret, "d1", "Push Hook", push, 200},
	} {
		if status := send(c.path, c.token, c.id, c.event, c.body); status != c.status {
			t.Errorf("%s: %d, want %d", c.name, status, c.status)
		}
	}
	var page api.Hooks
	w.ok("GET", "/api/v1/hooks", nil, &page)
	if len(page.Items) != 1 || page.Items[0].ID != "d1" || page.Items[0].State != delivery.HookReceived {
		t.Errorf("hooks kept: %+v", page.Items)
	}
}

// A stranger is counted and changes nothing; a tag is told by the repository's health;
// a push makes its app heard of.
func TestHookHealth(t *testing.T) {
	w := newWorld(t)
	send := func(secret, id, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/hooks/gitlab", strings.NewReader(body))
		w.must(err)
		req.Header.Set("X-Gitlab-Token", secret)
		req.Header.Set("Idempotency-Key", id)
		res, err := http.DefaultClient.Do(req)
		w.must(err)
		res.Body.Close()
		return res.StatusCode
	}
	health := func() (api.Hooks, []string) {
		var hooks api.Hooks
		w.ok("GET", "/api/v1/hooks", nil, &hooks)
		var status api.Status
		w.ok("GET", "/api/v1/status", nil, &status)
		return hooks, status.Silent
	}
	send("wrong", "d1", push)
	send("", "d2", push)
	hooks, silent := health()
	if len(hooks.Refused) != 1 || hooks.Refused[0].Count != 2 || hooks.Refused[0].Forge != "gitlab" || hooks.Refused[0].Last.IsZero() ||
		!strings.Contains(hooks.Refused[0].Why, "secret token") || len(hooks.Items)+len(hooks.Sources) != 0 || len(silent) != 1 || silent[0] != "shop" {
		t.Errorf("after strangers: %+v, silent %v", hooks, silent)
	}
	send(hookSecret, "d3", strings.Replace(push, `"push"`, `"note"`, 1))
	hooks, silent = health()
	if len(hooks.Items) != 0 || len(hooks.Sources) != 1 || hooks.Sources[0].Outcome != "note: of no interest" || len(silent) != 0 {
		t.Errorf("after a note: %+v, silent %v", hooks, silent)
	}
	send(hookSecret, "d4", push)
	send(hookSecret, "d4", push)
	hooks, _ = health()
	if len(hooks.Items) != 1 || len(hooks.Sources) != 1 {
		t.Fatalf("after a push: %+v", hooks)
	}
	got := hooks.Sources[0]
	if got.Forge != "gitlab" || got.Repo != "team/shop" || got.Outcome != "push to dev: received" || len(got.Apps) != 1 || got.Apps[0] != "shop" || got.Last.IsZero() {
		t.Errorf("source: %+v", got)
	}
	send(hookSecret, "d5", strings.NewReplacer(`"push"`, `"tag_push"`, "heads/dev", "tags/v1").Replace(push))
	if hooks, _ = health(); len(hooks.Items) != 2 || hooks.Sources[0].Outcome != "push to tag v1: received" {
		t.Errorf("after a tag: %+v", hooks)
	}
}
