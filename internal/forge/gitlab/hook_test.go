package gitlab_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge/gitlab"
)

const (
	before = "95790bf891e76fee5e1747ab589903a6a1f80f22"
	after  = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"
	zeros  = "0000000000000000000000000000000000000000"
	key    = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f"
	event  = "13792a34-cac6-4fda-95a8-c58e00a3954e"
)

// recorded reads a delivery as GitLab sends it: header, empty line, body.
func recorded(t testing.TB, name string) (http.Header, []byte) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := bytes.Cut(raw, []byte("\n\n"))
	mime, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(head, "\n\n"...)))).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	return http.Header(mime), body
}

// parse is the push of a delivery of interest; else it is nil.
func parse(header http.Header, body []byte) (id string, push *delivery.Push, note string, err error) {
	h, note, err := new(gitlab.Hooks).Parse(header, body)
	if err != nil || note != "" {
		return h.ID, nil, note, err
	}
	return h.ID, &h.Push, "", nil
}

func shop() delivery.Repo {
	return delivery.Repo{
		Forge: gitlab.Name, ProjectID: "15", Path: "acme/shop", CloneURL: "https://git.example.com/acme/shop.git",
		SSHURL: "git@git.example.com:acme/shop.git", WebURL: "https://git.example.com/acme/shop",
	}
}

func TestParseHookPush(t *testing.T) {
	paths := []string{"CHANGELOG", "README.md", "app/controller.go", "docs/a.md", "old.txt"}
	whole := delivery.Push{
		Repo: shop(), Branch: "dev", Before: before, After: after,
		Title: "fix readme", Author: "GitLab dev user", Email: "dev@example.com", Pusher: "jsmith", Paths: paths, PathsComplete: true, DefaultBranch: "main",
	}
	with := func(change func(*delivery.Push)) delivery.Push {
		p := whole
		p.Email = "" // withheld since 17
		change(&p)
		return p
	}
	for name, want := range map[string]delivery.Push{
		"push-v9":       whole,
		"push-v15":      whole,
		"push-v17":      with(func(*delivery.Push) {}),
		"push-v19":      with(func(*delivery.Push) {}),
		"push-many-v17": with(func(p *delivery.Push) { p.PathsComplete = false }),
		"branch-create-v17": with(func(p *delivery.Push) {
			p.Before, p.Title, p.Author, p.Paths, p.PathsComplete = zeros, "", "John Smith", []string{}, false
		}),
		"branch-delete-v17": {Repo: shop(), Branch: "dev", Before: before, Pusher: "jsmith", DefaultBranch: "main"},
		"branch-moved-back-v17": with(func(p *delivery.Push) {
			p.Title, p.Author, p.Paths, p.PathsComplete = "", "John Smith", []string{}, false
		}),
		"system-push-v17": with(func(p *delivery.Push) {
			p.Title, p.Author, p.Paths, p.PathsComplete = "", "John Smith", []string{}, false
		}),
	} {
		t.Run(name, func(t *testing.T) {
			_, push, note, err := parse(recorded(t, name))
			if err != nil || note != "" {
				t.Fatalf("note %q, err %v", note, err)
			}
			if diff := cmp.Diff(&want, push); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseHookOfNoInterest(t *testing.T) {
	for name, want := range map[string]string{
		"merge-request-v17":            "merge request: of no interest",
		"note-v17":                     "note: of no interest",
		"system-project-create-v15":    "project create: of no interest",
		"system-repository-update-v15": "repository update: of no interest",
		"push-test-v15":                "test push that changes nothing: of no interest",
	} {
		_, push, note, err := parse(recorded(t, name))
		if err != nil || push != nil || note != want {
			t.Errorf("%s: push %v, note %q, err %v; want note %q", name, push, note, err, want)
		}
	}
}

func TestParseHookID(t *testing.T) {
	id := func(name string, change func(http.Header)) string {
		header, body := recorded(t, name)
		if change != nil {
			change(header)
		}
		id, _, _, err := parse(header, body)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if got := id("push-v19", func(h http.Header) { h.Set("Webhook-Id", "msg_1") }); got != "msg_1" {
		t.Errorf("webhook-id comes first, got %s", got)
	}
	if got := id("push-v17", nil); got != key {
		t.Errorf("id %s, want Idempotency-Key", got)
	}
	v15 := id("push-v15", nil)
	if !strings.HasPrefix(v15, event+"-") || v15 != id("push-v15", nil) {
		t.Errorf("id %s, want the event's UUID and a stable digest", v15)
	}
	if v15 == id("push-v15", func(h http.Header) { h.Set("X-Gitlab-Event-UUID", strings.Repeat("b", 36)) }) {
		t.Error("two events have one id")
	}
	v9 := id("push-v9", nil)
	if len(v9) != 64 || v9 == id("push-v9", func(h http.Header) { h.Set("X-Gitlab-Event", "System Hook") }) {
		t.Errorf("id %s, want a digest of event and body", v9)
	}
	for _, odd := range []string{strings.Repeat("x", 500), "a\x01b"} {
		if got := id("push-v9", func(h http.Header) { h.Set("Idempotency-Key", odd) }); got != v9 {
			t.Errorf("%q was taken for an id", odd)
		}
	}
}

func TestParseHookRefusesWhatIsNotGitLab(t *testing.T) {
	for name, body := range map[string]string{
		"empty":        "",
		"not json":     "payload=%7B%7D",
		"a list":       "[]",
		"wrong type":   `{"object_kind":"push","commits":"x"}`,
		"bare":         `{"object_kind":"push"}`,
		"no project":   `{"object_kind":"push","ref":"refs/heads/x","before":"` + before + `","after":"` + after + `"}`,
		"short sha":    `{"object_kind":"push","ref":"refs/heads/x","before":"1","after":"2","project_id":1,"project":{"path_with_namespace":"a/b"}}`,
		"bare branch":  `{"object_kind":"push","ref":"main","before":"` + before + `","after":"` + after + `","project_id":1,"project":{"path_with_namespace":"a/b"}}`,
		"control char": `{"object_kind":"push","ref":"refs/heads/a\nb","before":"` + before + `","after":"` + after + `","project_id":1,"project":{"path_with_namespace":"a/b"}}`,
	} {
		id, push, _, err := parse(http.Header{"X-Gitlab-Event": {"Push Hook"}}, []byte(body))
		if delivery.KindOf(err) != delivery.Invalid || push != nil || id == "" {
			t.Errorf("%s: id %q, push %v, err %v; want Invalid", name, id, push, err)
		}
	}
}

func TestParseHookBoundsItsLists(t *testing.T) {
	header, body := recorded(t, "push-v17")
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprintf("f%d", i))
	}
	doc["commits"].([]any)[0].(map[string]any)["added"] = many
	body, _ = json.Marshal(doc)
	_, push, _, err := parse(header, body)
	if err != nil || len(push.Paths) > 2000 || push.PathsComplete {
		t.Errorf("%d paths, complete %v, err %v", len(push.Paths), push.PathsComplete, err)
	}
}

func TestVerifyToken(t *testing.T) {
	for _, c := range []struct {
		sent    string
		secrets []string
		ok      bool
	}{
		{"new", []string{"new"}, true},
		{"old", []string{"new", "old"}, true},
		{"new", []string{"new", "old"}, true},
		{"no", []string{"new", "old"}, false},
		{"", []string{"new"}, false},
		{"", []string{""}, false},
		{"new", []string{"", "new"}, true},
		{"new", nil, false},
		{"ne", []string{"new"}, false},
	} {
		header := http.Header{}
		header.Set("X-Gitlab-Token", c.sent)
		hooks, err := gitlab.NewHooks(c.secrets, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		err = hooks.Verify(header, nil)
		if (err == nil) != c.ok || err != nil && delivery.KindOf(err) != delivery.Denied {
			t.Errorf("%q against %q: %v", c.sent, c.secrets, err)
		}
	}
}

func FuzzParseHook(f *testing.F) {
	files, err := filepath.Glob("testdata/*.http")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		header, body := recorded(f, strings.TrimSuffix(filepath.Base(file), ".http"))
		f.Add(header.Get("X-Gitlab-Event"), header.Get("Idempotency-Key"), body)
	}
	f.Fuzz(func(t *testing.T, event, key string, body []byte) {
		header := http.Header{"X-Gitlab-Event": {event}, "Idempotency-Key": {key}}
		id, push, note, err := parse(header, body)
		switch {
		case id == "" || len(id) > 128 || strings.ContainsAny(id, "\n\x00"):
			t.Errorf("id %q", id)
		case err != nil:
			if push != nil || delivery.KindOf(err) != delivery.Invalid {
				t.Errorf("push %v with %v", push, err)
			}
		case (push == nil) == (note == ""):
			t.Errorf("push %v and note %q", push, note)
		case push == nil:
		case push.Repo.ProjectID == "" || push.Repo.Path == "" || (push.Branch == "") == (push.Tag == "") || push.Before == push.After:
			t.Errorf("push lacks something: %+v", push)
		case len(push.Paths) > 2000 || push.PathsComplete && len(push.After) < 40:
			t.Errorf("paths: %+v", push)
		}
	})
}

func BenchmarkParseHook(b *testing.B) {
	header, body := recorded(b, "push-v17")
	for b.Loop() {
		if _, _, _, err := parse(header, body); err != nil {
			b.Fatal(err)
		}
	}
}
