package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/cli"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// shell runs command lines against a server of canned answers.
type shell struct {
	t      *testing.T
	url    string
	config string
	seen   []*http.Request
	bodies []string
}

func newShell(t *testing.T, answers map[string]string) *shell {
	s := &shell{t: t, config: filepath.Join(t.TempDir(), "deep", "config.json")}
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		s.seen, s.bodies = append(s.seen, r), append(s.bodies, body.String())
		answer, ok := answers[r.Method+" "+r.URL.EscapedPath()]
		if !ok {
			w.WriteHeader(404)
			answer = `{"kind":"not_found","message":"there is no such thing: see shiplock get apps"}`
		}
		if status, rest, ok := strings.Cut(answer, "|"); ok {
			code, err := strconv.Atoi(status)
			if err != nil {
				t.Error(err)
			}
			w.WriteHeader(code)
			answer = rest
		}
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(ts.Close)
	s.url = ts.URL
	return s
}

func (s *shell) run(stdin string, args ...string) (out, errs string, code int) {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := cli.New(cli.Deps{
		In: strings.NewReader(stdin), Out: &stdout, Err: &stderr, ConfigFile: s.config, Version: "v1",
		Getenv: func(string) string { return "" },
	})
	cmd.SetArgs(args)
	code = cli.Exit(&stderr, phrase.English, cmd.ExecuteContext(s.t.Context()))
	return stdout.String(), stderr.String(), code
}

func TestLoginIsKeptForItsServerOnly(t *testing.T) {
	s := newShell(t, map[string]string{"GET /api/v1/who": `{"name":"ann","admin":true}`, "GET /api/v1/runs": `{"items":[]}`})
	out, errs, code := s.run("slk_secret\n", "login", "--server", s.url)
	if code != 0 || !strings.Contains(out, "as ann") {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	info, err := os.Stat(s.config)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("config: %v %v", info.Mode(), err)
	}
	s.run("", "run", "list")
	if got := s.seen[len(s.seen)-1].Header.Get("Authorization"); got != "Bearer slk_secret" {
		t.Errorf("authorization %q", got)
	}
	other := newShell(t, nil)
	s.run("", "run", "list", "--server", other.url)
	if got := other.seen[0].Header.Get("Authorization"); got != "" {
		t.Errorf("another server got %q", got)
	}
}

func TestExitCodes(t *testing.T) {
	s := newShell(t, map[string]string{
		"GET /api/v1/runs/good":   `{"state":"succeeded","name":"good#1"}`,
		"GET /api/v1/runs/bad":    `{"state":"failed","name":"bad#1","cause":{"text":"test failed","next":"fix it"}}`,
		"GET /api/v1/who":         `401|{"kind":"denied","message":"the token is not known"}`,
		"GET /api/v1/status":      `401|{"kind":"denied","message":"the token is not known"}`,
		"GET /api/v1/releases/r1": `{"state":"aborted","app":"shop","env":"prod"}`,
	})
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"run watch good", 0, "good#1"},
		{"run watch bad", 1, "Cause: test failed\nNext: fix it"},
		{"release watch r1", 1, "aborted"},
		{"run watch none", 1, "shiplock get apps"},
		{"status", 1, "shiplock login"},
		{"run watch", 2, "run watch --help"},
		{"run start shop", 2, "add --env ENV"},
		{"run strat shop", 2, "did you mean start"},
		{"releases", 2, "unknown command"},
		{"get runs --odd", 2, "--odd"},
		{"get runs -o xml", 2, "text or json"},
		{"release create shop --env prod --run 1 --from dev", 2, "one of"},
		{"apply", 2, "-f DIR"},
		{"status --server http://127.0.0.1:1", 3, "does not answer"},
	} {
		args := strings.Fields(c.args)
		if !strings.Contains(c.args, "--server") {
			args = append(args, "--server", s.url)
		}
		out, errs, code := s.run("", args...)
		if code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("%s: %d %s%s, want %d and %q", c.args, code, out, errs, c.code, c.says)
		}
	}
}

const stack = "apiVersion: shiplock/v1\nkind: App\nmetadata: {name: shop}\nspec:\n  repo: http://git/shop\n  stack: go-1.26\n"

func TestApply(t *testing.T) {
	diff := `{"entries":[{"op":"create","kind":"App","name":"shop"}]}`
	s := newShell(t, map[string]string{"POST /api/v1/catalog": diff})
	dir := filepath.Join(t.TempDir(), "delivery")
	write := func(name, text string) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("shop.yaml", stack)
	write("README.md", "no document")
	out, errs, code := s.run("", "apply", "-f", dir, "--dry-run", "--server", s.url)
	if code != 0 || !strings.Contains(out, "+ App/shop") || !strings.Contains(out, "--dry-run") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	var sent struct {
		Manager   string
		Dry       bool
		Documents []struct{ Kind, Name string }
	}
	if err := json.Unmarshal([]byte(s.bodies[0]), &sent); err != nil || sent.Manager != "cli:delivery" || !sent.Dry || len(sent.Documents) != 1 {
		t.Errorf("sent %s", s.bodies[0])
	}
	write("bad.yaml", strings.Replace(stack, "stack:", "stak:", 1))
	calls := len(s.seen)
	_, errs, code = s.run("", "apply", "-f", dir, "--server", s.url)
	if code != 1 || !strings.Contains(errs, "bad.yaml:6:3") || len(s.seen) != calls {
		t.Errorf("%d %s, %d calls", code, errs, len(s.seen)-calls)
	}
}

func TestFaultsThatTheServerFindsHaveLines(t *testing.T) {
	s := newShell(t, map[string]string{"POST /api/v1/catalog": `400|{"kind":"invalid","message":"m","problems":[{"file":"App/shop","field":"spec.stack","message":"there is no Stack"}]}`})
	_, errs, code := s.run(stack, "apply", "-f", "-", "--server", s.url)
	if code != 1 || !strings.Contains(errs, "stdin:6:") {
		t.Errorf("%d %s", code, errs)
	}
}

func TestJSONIsOneObjectPerLine(t *testing.T) {
	s := newShell(t, map[string]string{"GET /api/v1/runs": `{"items":[{"name":"a#1"},{"name":"a#2"}]}`})
	out, _, code := s.run("", "get", "runs", "-o", "json", "--server", s.url)
	if lines := strings.Split(strings.TrimSpace(out), "\n"); code != 0 || len(lines) != 2 || !json.Valid([]byte(lines[0])) {
		t.Errorf("%d %q", code, out)
	}
}

func TestReleasesAreFoundByTarget(t *testing.T) {
	s := newShell(t, map[string]string{
		"GET /api/v1/targets/shop/prod":         `{"app":"shop","env":"prod","active":"r9"}`,
		"GET /api/v1/targets/shop/dev":          `{"app":"shop","env":"dev"}`,
		"POST /api/v1/releases/r9/continue":     `{"app":"shop","env":"prod","state":"rolling"}`,
		"POST /api/v1/targets/shop/dev/restart": `409|{"kind":"conflict","message":"nothing of shop runs in dev"}`,
	})
	if out, errs, code := s.run("", "release", "continue", "shop", "--env", "prod", "--server", s.url); code != 0 || !strings.Contains(out, "rolling") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if _, errs, code := s.run("", "release", "abort", "shop", "--env", "dev", "--server", s.url); code != 1 || !strings.Contains(errs, "no release is under way") {
		t.Errorf("%d %s", code, errs)
	}
}

func TestCompletionAsksTheServer(t *testing.T) {
	s := newShell(t, map[string]string{"GET /api/v1/apps": `{"items":[{"name":"shop"}]}`, "GET /api/v1/environments": `{"items":[{"name":"dev"}]}`})
	for _, args := range [][]string{{"run", "start", ""}, {"run", "start", "x", "--env", ""}} {
		out, _, _ := s.run("", append([]string{"__complete", "--server", s.url}, args...)...)
		if !strings.HasPrefix(out, "shop\n") && !strings.HasPrefix(out, "dev\n") {
			t.Errorf("%v: %q", args, out)
		}
	}
}

func TestDriftIsShownFieldByField(t *testing.T) {
	s := newShell(t, map[string]string{"GET /api/v1/targets/shop/prod": `{"app":"shop","env":"prod","state":"healthy","drift":[
		{"object":"Deployment/shop","field":".spec.paused","want":"","have":"true","by":"kubectl-edit"}]}`})
	out, errs, code := s.run("", "--server", s.url, "--token", "t", "get", "targets", "shop/prod")
	if want := "Deployment/shop .spec.paused is true, wished for is –, by kubectl-edit"; code != 0 || !strings.Contains(out, want) {
		t.Errorf("%d: %s%s", code, out, errs)
	}
	out, _, _ = s.run("", "--server", s.url, "--token", "t", "--lang", "zh", "get", "targets", "shop/prod")
	if want := "Deployment/shop .spec.paused 现为 true，应为 –，改动者 kubectl-edit"; !strings.Contains(out, want) {
		t.Errorf("in Chinese: %s", out)
	}
	if _, _, code = s.run("", "--server", s.url, "--token", "t", "get", "targets", "shop"); code != 2 {
		t.Errorf("without an environment: %d", code)
	}
}
