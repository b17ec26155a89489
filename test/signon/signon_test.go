//go:build e2e

// Package signon signs in through the real server at a real identity provider, with a
// browser's cookies and redirects.
package signon

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// provider builds and starts the identity provider of test/oidc.
func provider(t *testing.T, redirect string) (issuer string) {
	t.Helper()
	var errs bytes.Buffer
	build := exec.CommandContext(t.Context(), "../oidc/build")
	build.Stderr = &errs
	path, err := build.Output()
	if err != nil {
		t.Fatalf("build the identity provider: %v\n%s", err, errs.String())
	}
	cmd := exec.Command(strings.TrimSpace(string(path)), "-redirect", redirect)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the identity provider does not start: %v", err)
	}
	return strings.TrimSpace(line)
}

// world is an installation whose people sign in at a provider.
type world struct {
	t      *testing.T
	server *harness.Server
	api    *harness.API
}

func newWorld(t *testing.T, flags ...string) *world {
	t.Helper()
	server := harness.NewServer(t, append([]string{"--lease", "1s"}, flags...)...)
	issuer := provider(t, server.URL()+"/login/oidc/callback")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server.Flags = append(server.Flags, "--oidc-issuer", issuer, "--oidc-client-id", "shiplock", "--oidc-client-secret-file", secret, "--oidc-name", "Example ID")
	server.Start()
	return &world{t: t, server: server, api: harness.NewAPI(t, server)}
}

// browser keeps cookies and follows redirects.
type browser struct {
	*http.Client
	w    *world
	last *http.Response
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{Client: &http.Client{Jar: jar, Timeout: 20 * time.Second}, w: w}
}

func (b *browser) page(res *http.Response, err error) string {
	b.w.t.Helper()
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	b.last = res
	return string(text)
}

var requestField = regexp.MustCompile(`name="id" value="([^"]+)"`)

// signIn goes the whole way, as a person does, and returns the page where it ends.
func (b *browser) signIn(name, next string) string {
	b.w.t.Helper()
	if form := b.page(b.Get(b.w.server.URL() + "/login")); !strings.Contains(form, "Log in with Example ID") {
		b.w.t.Errorf("the form does not offer the provider: %s", form)
	}
	there := b.page(b.Get(b.w.server.URL() + "/login/oidc?next=" + url.QueryEscape(next)))
	id := requestField.FindStringSubmatch(there)
	if id == nil {
		b.w.t.Fatalf("no form of the provider's: %s", there)
	}
	return b.page(b.PostForm(b.last.Request.URL.Scheme+"://"+b.last.Request.URL.Host+"/login/username", url.Values{
		"id": {id[1]}, "username": {name}, "password": {name + "-password"},
	}))
}

func (b *browser) who() (who api.Who, status int) {
	b.w.t.Helper()
	text := b.page(b.Get(b.w.server.URL() + "/api/v1/who"))
	_ = json.Unmarshal([]byte(text), &who) // a refusal is none
	return who, b.last.StatusCode
}

func TestSignOn(t *testing.T) {
	w := newWorld(t)
	ann := w.browser()
	if page := ann.signIn("ann", "/docs"); ann.last.StatusCode >= 500 || ann.last.Request.URL.Path != "/docs" || ann.last.Request.URL.Host != strings.TrimPrefix(w.server.URL(), "http://") {
		t.Fatalf("it ends at %s: %d %s", ann.last.Request.URL, ann.last.StatusCode, page)
	}
	who, status := ann.who()
	if status != 200 || who.Name != "ann" || who.Admin || strings.Join(who.Groups, " ") != "all web-leads" {
		t.Errorf("%d %+v", status, who)
	}

	var users api.Page[api.User]
	w.must(w.api.Do("GET", "/users", nil, &users))
	var made *api.User
	for i := range users.Items {
		if users.Items[i].Name == "ann" {
			made = &users.Items[i]
		}
	}
	if made == nil || made.Email != "ann@example.com" || !strings.HasPrefix(made.SignsIn, "http://127.0.0.1:") {
		t.Errorf("users %+v", users.Items)
	}

	// The administrator's word ends it at once, and keeps her out.
	off := true
	w.must(w.api.Do("POST", "/users/ann", api.ChangeUser{Disabled: &off}, nil))
	if _, status := ann.who(); status != 401 {
		t.Errorf("after she was disabled: %d", status)
	}
	if page := ann.signIn("ann", "/"); ann.last.StatusCode != 401 || !strings.Contains(page, "this user is disabled") {
		t.Errorf("she signs in again: %d %s", ann.last.StatusCode, page)
	}
}

// A name that somebody has here is not taken over, whoever has it at the provider.
func TestNamesAreNotTakenOver(t *testing.T) {
	w := newWorld(t)
	w.must(w.api.Do("POST", "/users", api.AddUser{Name: "dan"}, nil))
	dan := w.browser()
	page := dan.signIn("dan", "/")
	if _, status := dan.who(); status != 401 || !strings.Contains(page, "there is a user dan here who does not sign in at") {
		t.Errorf("%d %s", status, page)
	}
}

func TestOnlySomeDomains(t *testing.T) {
	w := newWorld(t, "--oidc-allowed-domain", "example.com")
	eve := w.browser()
	page := eve.signIn("eve", "/")
	if _, status := eve.who(); status != 401 || !strings.Contains(page, "example.com may sign in") {
		t.Errorf("%d %s", status, page)
	}
	dan := w.browser()
	dan.signIn("dan", "//evil.example/x")
	if who, status := dan.who(); status != 200 || who.Name != "dan" {
		t.Errorf("%d %+v", status, who)
	}
}

// Somebody's browser that is led to the answer of an attacker's log-in signs in as
// nobody.
func TestForeignAnswers(t *testing.T) {
	w := newWorld(t)
	attacker, victim := w.browser(), w.browser()
	var answer string
	attacker.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/login/oidc/callback") {
			answer = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	attacker.signIn("eve", "/")
	if answer == "" {
		t.Fatal("no answer was caught")
	}
	page := victim.page(victim.Get(answer))
	if _, status := victim.who(); status != 401 || !strings.Contains(page, "was not begun in this browser") {
		t.Errorf("%d %s", status, page)
	}
	victim.page(victim.Get(w.server.URL() + "/login/oidc")) // one of her own is under way
	page = victim.page(victim.Get(answer))
	if _, status := victim.who(); status != 401 || !strings.Contains(page, "was not begun in this browser") {
		t.Errorf("%d %s", status, page)
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}
