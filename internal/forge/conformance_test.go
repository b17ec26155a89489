package forge_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge"
	"github.com/shiplock/shiplock/internal/forge/gitea"
	"github.com/shiplock/shiplock/internal/forge/github"
	"github.com/shiplock/shiplock/internal/forge/gitlab"
)

const (
	secret = "hook-secret"
	before = "95790bf891e76fee5e1747ab589903a6a1f80f22"
	after  = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"
	zeros  = "0000000000000000000000000000000000000000"
	id     = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f"
)

// reader is what the server asks of a forge's hooks.
type reader interface {
	Screen(header http.Header) error
	Verify(header http.Header, body []byte) error
	Parse(header http.Header, body []byte) (delivery.Hook, string, error)
}

type sender interface {
	SetStatus(ctx context.Context, s delivery.CommitStatus) error
	Close()
}

// subject is one forge under test.
type subject struct {
	name   string
	reader reader
	// sign adds what proves that the sender knows the secret.
	sign    func(h http.Header, body []byte)
	connect func(url string) (sender, error)
	// statusPath, credential and running are how this forge is told that a run runs.
	statusPath, credential, running string
	// incomplete lists recordings of pushes whose paths are not all known; whole, of
	// those that say all.
	whole, incomplete, ignored []string
}

func subjects(t testing.TB) []subject {
	t.Helper()
	lab, err := gitlab.NewHooks([]string{secret}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return []subject{
		{
			name: gitlab.Name, reader: lab,
			sign:       func(h http.Header, _ []byte) { h.Set("X-Gitlab-Token", secret) },
			connect:    func(url string) (sender, error) { return gitlab.NewClient(gitlab.Config{URL: url, Token: "tok"}) },
			statusPath: "/api/v4/projects/15/statuses/" + after, credential: "Private-Token: tok", running: "running",
			whole: []string{"push-v17", "push-v19"}, incomplete: []string{"push-many-v17"},
			ignored: []string{"merge-request-v17", "push-test-v15"},
		},
		{
			name: gitea.Name, reader: gitea.NewHooks([]string{"older", secret}), sign: signGitea,
			connect:    func(url string) (sender, error) { return gitea.NewClient(gitea.Config{URL: url, Token: "tok"}) },
			statusPath: "/api/v1/repos/acme/shop/statuses/" + after, credential: "Authorization: token tok", running: "pending",
			whole: []string{"push", "push-form", "push-forgejo"}, incomplete: []string{"push-many", "push-gogs"},
			ignored: []string{"create", "test"},
		},
		{
			name: github.Name, reader: github.NewHooks([]string{"older", secret}),
			sign: func(h http.Header, body []byte) {
				h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(forge.MAC([]byte(secret), body)))
			},
			connect:    func(url string) (sender, error) { return github.NewClient(github.Config{URL: url, Token: "tok"}) },
			statusPath: "/api/v3/repos/acme/shop/statuses/" + after, credential: "Authorization: Bearer tok", running: "pending",
			whole: []string{"push", "push-form"}, incomplete: []string{"push-many", "push-forced"},
			ignored: []string{"ping", "delete"},
		},
	}
}

// signGitea signs the JSON, also when it travels in a form.
func signGitea(h http.Header, body []byte) {
	if form, err := url.ParseQuery(string(body)); err == nil && form.Has("payload") && !json.Valid(body) {
		body = []byte(form.Get("payload"))
	}
	name := "X-Gogs-Signature"
	for _, family := range []string{"Gitea", "Forgejo"} {
		if h.Get("X-"+family+"-Event") != "" {
			name = "X-" + family + "-Signature"
		}
	}
	h.Set(name, hex.EncodeToString(forge.MAC([]byte(secret), body)))
}

// recorded reads a delivery as its forge sends it: header, empty line, body.
func (s subject) recorded(t testing.TB, name string) (http.Header, []byte) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.name, "testdata", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := bytes.Cut(raw, []byte("\n\n"))
	mime, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(head, "\n\n"...)))).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header(mime)
	header.Del("X-Gitlab-Token")
	s.sign(header, body)
	return header, body
}

// take reads a recording as the server does.
func (s subject) take(t testing.TB, name string) (delivery.Hook, string) {
	t.Helper()
	header, body := s.recorded(t, name)
	if err := errors.Join(s.reader.Screen(header), s.reader.Verify(header, body)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	h, note, err := s.reader.Parse(header, body)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return h, note
}

// each runs a test on every forge.
func each(t *testing.T, test func(t *testing.T, s subject)) {
	for _, s := range subjects(t) {
		t.Run(s.name, func(t *testing.T) { test(t, s) })
	}
}

func repo(forge string) delivery.Repo {
	return delivery.Repo{
		Forge: forge, ProjectID: "15", Path: "acme/shop", CloneURL: "https://git.example.com/acme/shop.git",
		SSHURL: "git@git.example.com:acme/shop.git", WebURL: "https://git.example.com/acme/shop",
	}
}

func TestPush(t *testing.T) {
	each(t, func(t *testing.T, s subject) {
		want := delivery.Hook{ID: id, Forge: s.name, Push: delivery.Push{
			Repo: repo(s.name), Branch: "dev", Before: before, After: after,
			Title: "fix readme", Author: "GitLab dev user", Email: "dev@example.com", Pusher: "jsmith",
			Paths: []string{"CHANGELOG", "README.md", "app/controller.go", "docs/a.md", "old.txt"}, PathsComplete: true, DefaultBranch: "main",
		}}
		// GitLab has withheld addresses since 17.
		email := func(name string) string {
			if s.name == gitlab.Name && strings.HasPrefix(name, "push-v1") && name != "push-v15" || strings.HasPrefix(name, "push-many-v17") {
				return ""
			}
			return "dev@example.com"
		}
		for _, name := range s.whole {
			want.Push.Email = email(name)
			if h, note := s.take(t, name); note != "" || !cmp.Equal(want, h) {
				t.Errorf("%s: note %q\n%s", name, note, cmp.Diff(want, h))
			}
		}
		want.Push.PathsComplete = false
		for _, name := range s.incomplete {
			want.Push.Email = email(name)
			if h, note := s.take(t, name); note != "" || !cmp.Equal(want, h) {
				t.Errorf("%s: note %q\n%s", name, note, cmp.Diff(want, h))
			}
		}
	})
}

func TestBranchesComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, s subject) {
		version := ""
		if s.name == gitlab.Name {
			version = "-v17"
		}
		made, note := s.take(t, "branch-create"+version)
		if p := made.Push; note != "" || p.Branch != "dev" || p.Before != zeros || p.After != after || p.PathsComplete {
			t.Errorf("created: %+v %q", p, note)
		}
		gone, note := s.take(t, "branch-delete"+version)
		if p := gone.Push; note != "" || p.Branch != "dev" || p.After != "" || p.Pusher != "jsmith" || p.Repo != repo(s.name) {
			t.Errorf("deleted: %+v %q", p, note)
		}
	})
}

func TestTags(t *testing.T) {
	each(t, func(t *testing.T, s subject) {
		name, tag := "tag", "v1"
		if s.name == gitlab.Name {
			name, tag = "tag-v17", "v1.0.0"
		}
		h, note := s.take(t, name)
		if p := h.Push; note != "" || p.Tag != tag || p.Branch != "" || !p.Creates() || p.After != after || p.Repo != repo(s.name) || p.PathsComplete {
			t.Errorf("pushed: %+v %q", p, note)
		}
		// An annotated tag is an object of its own; what is built is its commit.
		header, body := s.recorded(t, name)
		for old, peeled := range map[string]string{
			`"after": "` + after: `"after": "` + before, `"head_commit": null`: `"head_commit": {"id": "` + after + `"}`,
		} {
			body = bytes.Replace(body, []byte(old), []byte(peeled), 1)
		}
		if h, _, err := s.reader.Parse(header, body); err != nil || h.Push.After != after {
			t.Errorf("annotated: %+v %v", h.Push, err)
		}
		body = bytes.Replace(body, []byte(`"before": "`+zeros), []byte(`"before": "`+after), 1)
		body = bytes.Replace(body, []byte(`"after": "`+before), []byte(`"after": "`+zeros), 1)
		if h, _, err := s.reader.Parse(header, body); err != nil || h.Push.After != "" || h.Push.Tag != tag {
			t.Errorf("deleted: %+v %v", h.Push, err)
		}
		if s.name == gitea.Name {
			if gone, note := s.take(t, "tag-delete"); note != "" || gone.Push.Tag != "v1" || gone.Push.After != "" {
				t.Errorf("deleted: %+v %q", gone.Push, note)
			}
		}
	})
}

func TestOfNoInterest(t *testing.T) {
	each(t, func(t *testing.T, s subject) {
		for _, name := range s.ignored {
			h, note := s.take(t, name)
			if !strings.HasSuffix(note, ": of no interest") || h.Push.Repo.Path != "acme/shop" || h.Forge != s.name {
				t.Errorf("%s: note %q of %+v", name, note, h.Push.Repo)
			}
		}
	})
}

func TestStrangersAreDenied(t *testing.T) {
	each(t, func(t *testing.T, s subject) {
		header, body := s.recorded(t, s.whole[0])
		for name, secrets := range map[string][]string{"another secret": {"other"}, "an empty secret": {""}, "none": nil} {
			reader := map[string]func() reader{
				gitlab.Name: func() reader { h, _ := gitlab.NewHooks(secrets, time.Now); return h },
				gitea.Name:  func() reader { return gitea.NewHooks(secrets) },
				github.Name: func() reader { return github.NewHooks(secrets) },
			}[s.name]()
			if err := reader.Verify(header, body); delivery.KindOf(err) != delivery.Denied {
				t.Errorf("%s: %v, want Denied", name, err)
			}
		}
		bare := http.Header{}
		if err := s.reader.Screen(bare); delivery.KindOf(err) != delivery.Denied {
			t.Errorf("no secret at all: %v, want Denied", err)
		}
		if s.name == gitlab.Name {
			return // a token says nothing about the body
		}
		if err := s.reader.Verify(header, append(body, ' ')); delivery.KindOf(err) != delivery.Denied {
			t.Errorf("another body: %v, want Denied", err)
		}
	})
}

func TestWhatNoForgeSends(t *testing.T) {
	const good = `"id":15,"full_name":"a/b","path_with_namespace":"a/b"`
	each(t, func(t *testing.T, s subject) {
		event, _ := s.recorded(t, s.whole[0])
		for name, body := range map[string]string{
			"nothing":    "",
			"a list":     "[]",
			"wrong type": `{"object_kind":"push","commits":"x"}`,
			"bare":       `{"object_kind":"push"}`,
			"no id":      `{"object_kind":"push","ref":"refs/heads/x","before":"` + before + `","after":"` + after + `","repository":{"full_name":"a/b"},"project":{"path_with_namespace":"a/b"}}`,
			"short sha":  `{"object_kind":"push","ref":"refs/heads/x","before":"1","after":"2","repository":{` + good + `},"project":{` + good + `}}`,
			"bare ref":   `{"object_kind":"push","ref":"x","before":"` + before + `","after":"` + after + `","repository":{` + good + `},"project":{` + good + `}}`,
			"control":    `{"object_kind":"push","ref":"refs/heads/a\nb","before":"` + before + `","after":"` + after + `","repository":{` + good + `},"project":{` + good + `}}`,
		} {
			if h, note, err := s.reader.Parse(event, []byte(body)); delivery.KindOf(err) != delivery.Invalid || note != "" || h.ID == "" {
				t.Errorf("%s: %+v, note %q, err %v; want Invalid", name, h, note, err)
			}
		}
		event.Set("Content-Type", "application/x-www-form-urlencoded")
		if _, _, err := s.reader.Parse(event, []byte("data=1")); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("a form without payload: %v, want Invalid", err)
		}
	})
}

func TestStatus(t *testing.T) {
	each(t, func(t *testing.T, s subject) {
		var got map[string]string
		c := s.client(t, func(w http.ResponseWriter, r *http.Request) {
			name, value, _ := strings.Cut(s.credential, ": ")
			if r.Method != http.MethodPost || r.URL.EscapedPath() != "/root"+s.statusPath || r.Header.Get(name) != value {
				t.Errorf("%s %s, %s %q", r.Method, r.URL, name, r.Header.Get(name))
			}
			body, _ := io.ReadAll(r.Body)
			got = nil
			if err := json.Unmarshal(body, &got); err != nil {
				t.Error(err)
			}
			w.WriteHeader(http.StatusCreated)
		})
		status := delivery.CommitStatus{
			Forge: s.name, ProjectID: "15", Path: "acme/shop", SHA: after, Ref: "dev", State: delivery.CommitRunning,
			Context: "shiplock/shop/dev", Description: strings.Repeat("船", 300), URL: "https://ci.example.com/runs/1",
		}
		if err := c.SetStatus(t.Context(), status); err != nil {
			t.Fatal(err)
		}
		limit := 255
		if s.name == github.Name {
			limit = 140
		}
		if got["state"] != s.running || got["target_url"] != status.URL || got["name"]+got["context"] != status.Context ||
			utf8.RuneCountInString(got["description"]) != limit {
			t.Errorf("%v", got)
		}
		for _, state := range []delivery.CommitState{delivery.CommitPending, delivery.CommitSuccess, delivery.CommitFailed, delivery.CommitCanceled} {
			status.State = state
			if err := c.SetStatus(t.Context(), status); err != nil || got["state"] == "" {
				t.Errorf("%s: %v, %v", state, err, got)
			}
		}
		for _, bad := range []delivery.CommitStatus{
			{SHA: after, State: delivery.CommitRunning},
			{ProjectID: "15", Path: "acme/shop", SHA: "abc", State: delivery.CommitRunning},
		} {
			if err := c.SetStatus(t.Context(), bad); delivery.KindOf(err) != delivery.Invalid {
				t.Errorf("%+v: %v, want Invalid", bad, err)
			}
		}
	})
}

func TestStatusAnswers(t *testing.T) {
	each(t, func(t *testing.T, s subject) {
		for _, c := range []struct {
			code   int
			header string
			kind   delivery.Kind
		}{
			{401, "", delivery.Denied},
			{403, "", delivery.Denied},
			{403, "Retry-After: 7", delivery.Unavailable},
			{403, "X-RateLimit-Remaining: 0", delivery.Unavailable},
			{404, "", delivery.NotFound},
			{409, "", delivery.Unavailable},
			{422, "", delivery.Invalid},
			{429, "Retry-After: 7", delivery.Unavailable},
			{503, "", delivery.Unavailable},
			{301, "Location: https://elsewhere.example.com", delivery.Invalid},
		} {
			client := s.client(t, func(w http.ResponseWriter, _ *http.Request) {
				if name, value, ok := strings.Cut(c.header, ": "); ok {
					w.Header().Set(name, value)
				}
				w.WriteHeader(c.code)
			})
			err := client.SetStatus(t.Context(), delivery.CommitStatus{ProjectID: "15", Path: "acme/shop", SHA: after, State: delivery.CommitRunning})
			if delivery.KindOf(err) != c.kind || err == nil {
				t.Errorf("%d %s: %v (%v), want %v", c.code, c.header, err, delivery.KindOf(err), c.kind)
			}
			var wait interface{ RetryAfter() time.Duration }
			if strings.HasPrefix(c.header, "Retry-After") && (!errors.As(err, &wait) || wait.RetryAfter() != 7*time.Second) {
				t.Errorf("%d: %v does not say to wait", c.code, err)
			}
		}
	})
}

func (s subject) client(t *testing.T, handler http.HandlerFunc) sender {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := s.connect(server.URL + "/root/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func FuzzParse(f *testing.F) {
	all := subjects(f)
	for i, s := range all {
		for _, name := range append(append(s.whole, s.incomplete...), s.ignored...) {
			header, body := s.recorded(f, name)
			f.Add(i, fmt.Sprint(header.Get("X-Gitlab-Event"), header.Get("X-Gitea-Event"), header.Get("X-GitHub-Event")), header.Get("Content-Type"), body)
		}
	}
	f.Fuzz(func(t *testing.T, which int, event, kind string, body []byte) {
		if which < 0 || which >= len(all) {
			return
		}
		header := http.Header{"Content-Type": {kind}}
		for _, name := range []string{"X-Gitlab-Event", "X-Gitea-Event", "X-GitHub-Event"} {
			header.Set(name, event)
		}
		h, note, err := all[which].reader.Parse(header, body)
		p := h.Push
		switch {
		case h.ID == "" || len(h.ID) > 128 || h.ID != forge.Printable(h.ID) || h.Forge != all[which].name:
			t.Errorf("id %q of %s", h.ID, h.Forge)
		case err != nil:
			if note != "" || delivery.KindOf(err) != delivery.Invalid {
				t.Errorf("note %q with %v", note, err)
			}
		case note != "":
		case p.Repo.ProjectID == "" || p.Repo.Path == "" || p.Branch == "" || p.Before == p.After && p.After != "":
			t.Errorf("push lacks something: %+v", p)
		case len(p.Paths) > 2000 || p.PathsComplete && !forge.IsSHA(p.After):
			t.Errorf("paths: %+v", p)
		}
		_ = all[which].reader.Verify(header, body)
	})
}
