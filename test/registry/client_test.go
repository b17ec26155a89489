//go:build e2e

package registry

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/internal/registry"
	"github.com/shiplock/shiplock/test/harness"
)

const chunk = 4 << 20

// target is a registry that the suite is run over.
type target struct {
	host  string
	ca    *Authority // nil: it speaks plain HTTP
	login image.Login
	// begins tells that it begins an upload again that was cut within a chunk.
	begins bool
}

func (r target) at(host string, l image.Login) *image.Client {
	c := image.Registry{Host: host, PlainHTTP: r.ca == nil, Login: image.Keys{host: l}.Login}
	if r.ca != nil {
		c.CA = r.ca.PEM
	}
	return image.New(image.Config{Registry: c, Chunk: chunk})
}

func (r target) client() *image.Client { return r.at(r.host, r.login) }

func targets(t *testing.T) map[string]target {
	t.Helper()
	g, err := registry.Open(registry.Config{Dir: t.TempDir(), Authorize: func(r *http.Request, _ string, _ bool) error {
		if user, password, _ := r.BasicAuth(); user != User || password != Password {
			return delivery.E(delivery.Denied, "log in to the registry")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(g)
	t.Cleanup(func() {
		srv.Close()
		g.Close()
	})
	ca, login := NewAuthority(t), image.Login{Username: User, Password: Password}
	service := NewTokens(t, ca, map[string]string{User: Password})
	return map[string]target{
		"embedded":  {host: strings.TrimPrefix(srv.URL, "http://"), login: login},
		"passwords": {host: StartWithPasswords(t, ca).Host, ca: ca, login: login, begins: true},
		"tokens":    {host: StartWithTokens(t, service).Host, ca: ca, login: login, begins: true},
	}
}

// folder is a folder with one file of so many bytes that do not compress.
func folder(t testing.TB, size int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "start_env")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	content := make([]byte, size)
	rand.Read(content)
	if err := os.WriteFile(filepath.Join(dir, "big"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// pushed pushes a folder as a package, and reads it back.
func pushed(t testing.TB, c *image.Client, dest, dir string) image.Result {
	t.Helper()
	r, err := c.BuildPackage(t.Context(), image.Package{Dir: dir, Dest: dest})
	if err != nil {
		t.Fatal(err)
	}
	back := filepath.Join(t.TempDir(), "back")
	if err := c.Unpack(t.Context(), image.UnpackSpec{Ref: r.Ref, Dir: back}); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(dir, "big"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(back, "big")); err != nil || string(got) != string(want) {
		t.Errorf("what comes back is not what was pushed: %v", err)
	}
	return r
}

// What the client does goes with every registry, ours and others.
func TestRegistries(t *testing.T) {
	for name, r := range targets(t) {
		t.Run(name, func(t *testing.T) {
			t.Run("push", func(t *testing.T) { testPush(t, r) })
			t.Run("mount", func(t *testing.T) { testMount(t, r) })
			t.Run("cut", func(t *testing.T) { testCut(t, r) })
			t.Run("overload", func(t *testing.T) { testOverload(t, r) })
			t.Run("refusals", func(t *testing.T) { testRefusals(t, r) })
		})
	}
}

func testPush(t *testing.T, r target) {
	c, dir := r.client(), folder(t, 3*chunk+1)
	first := pushed(t, c, r.host+"/apps/push", dir)
	size, err := c.Tag(t.Context(), first.Ref, "7-abc")
	if err != nil || size != first.Size {
		t.Errorf("tagged with size %d, want %d: %v", size, first.Size, err)
	}
	if again := pushed(t, c, r.host+"/apps/push", dir); !again.Unchanged || again.Digest != first.Digest {
		t.Errorf("pushed again: %+v", again)
	}
	if err := c.Remove(t.Context(), first.Ref); err != nil {
		t.Error(err)
	}
	said(t, "removed again", c.Remove(t.Context(), first.Ref), delivery.NotFound, "is not in its registry")
}

// Layers of a base image in the same registry are not sent.
func testMount(t *testing.T, r target) {
	f := newFront(t, r)
	c := r.at(f.Host, r.login)
	big := make([]byte, chunk)
	rand.Read(big)
	if _, err := c.BuildScratch(t.Context(), image.Scratch{Dest: f.Host + "/apps/shiplock/base:1", Files: []image.File{{Path: "/big", Data: big}}}); err != nil {
		t.Fatal(err)
	}
	before, _ := f.seen()
	built, err := c.Build(t.Context(), image.Spec{Base: f.Host + "/apps/shiplock/base:1", Dir: folder(t, 10), Dest: f.Host + "/apps/mount"})
	if err != nil {
		t.Fatal(err)
	}
	if now, _ := f.seen(); now != before {
		t.Errorf("%d chunks of the base's layer were sent", now-before)
	}
	if err := c.Unpack(t.Context(), image.UnpackSpec{Ref: built.Ref, Dir: filepath.Join(t.TempDir(), "back")}); err != nil {
		t.Error(err)
	}
}

// A connection that breaks within a chunk costs what the registry forgets, and no more.
func testCut(t *testing.T, r target) {
	f := newFront(t, r)
	f.spoil = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 3 {
			f.cut(w, r, chunk/2)
		}
		return n == 3
	}
	pushed(t, r.at(f.Host, r.login), f.Host+"/apps/cut", folder(t, 4*chunk))
	chunks, opened := f.seen()
	want := 2 // a layer and a configuration
	if r.begins {
		want = 3
	}
	if opened != want || chunks > 9 {
		t.Errorf("%d uploads were opened, want %d, and %d chunks sent", opened, want, chunks)
	}
}

// A proxy that takes chunks off and has no room for one costs that one only.
func testOverload(t *testing.T, r target) {
	f := newFront(t, r)
	f.spoil = func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if n == 2 || n == 4 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return n == 2 || n == 4
	}
	pushed(t, r.at(f.Host, r.login), f.Host+"/apps/overload", folder(t, 3*chunk))
	if chunks, opened := f.seen(); opened != 2 || chunks != 3+2 {
		t.Errorf("%d uploads were opened, want 2, and %d chunks sent, want 5", opened, chunks)
	}
}

func testRefusals(t *testing.T, r target) {
	push := func(c *image.Client) error {
		_, err := c.BuildScratch(t.Context(), image.Scratch{Dest: r.host + "/apps/refused"})
		return err
	}
	for name, l := range map[string]image.Login{"a wrong password": {Username: User, Password: "x"}, "no login": {}} {
		said(t, name, push(r.at(r.host, l)), delivery.Denied, "refuses the login for "+r.host+"/apps/refused, which needs the permission pull")
	}
	if r.ca == nil {
		return
	}
	stranger := r
	stranger.ca = NewAuthority(t)
	said(t, "a wrong authority", push(stranger.client()), delivery.Unavailable, "the certificate of the registry of "+r.host+"/apps/refused is not trusted: name the authority that signed it with --registry-ca")
}

func said(t *testing.T, what string, err error, kind delivery.Kind, text string) {
	t.Helper()
	if delivery.KindOf(err) != kind || err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v: %v\nwant %v: …%s…", what, delivery.KindOf(err), err, kind, text)
	}
}

// A token opens one repository for writing, and the registry holds it to that. One that
// expires in the middle of a push is replaced.
func TestTokensOfAPush(t *testing.T) {
	ca := NewAuthority(t)
	service := NewTokens(t, ca, map[string]string{User: Password})
	service.Live(3 * time.Second)
	reg := StartWithTokens(t, service)
	r := target{host: reg.Host, ca: ca, login: image.Login{Username: User, Password: Password}}
	f := newFront(t, r)
	server := r.at(f.Host, r.login)
	var asked atomic.Int32
	runner := image.New(image.Config{Chunk: chunk, Registry: image.Registry{Host: f.Host, CA: ca.PEM,
		Login: func(ctx context.Context, _ string) (image.Login, error) {
			asked.Add(1)
			token, err := server.PushToken(ctx, f.Host+"/apps/shop", f.Host+"/apps/shiplock/base:1")
			return image.Login{Token: token}, err
		}}})
	var before atomic.Int32 // when one had expired
	f.spoil = func(_ http.ResponseWriter, r *http.Request, n int) bool {
		if n == 2 { // held until its token has expired
			token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			expired := func() bool {
				return reg.Status(t, http.MethodGet, "/v2/apps/shop/tags/list", token) == http.StatusUnauthorized
			}
			if !harness.Eventually(time.Minute, expired) {
				t.Error("the token does not expire")
			}
			before.Store(asked.Load())
		}
		return false
	}
	pushed(t, runner, f.Host+"/apps/shop", folder(t, 3*chunk))
	if before.Load() == 0 || asked.Load() <= before.Load() {
		t.Errorf("asked for %d tokens, %d of them before one expired", asked.Load(), before.Load())
	}

	service.Live(time.Hour)
	token, err := r.client().PushToken(t.Context(), reg.Host+"/apps/shop")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/v2/apps/shop/blobs/uploads/": http.StatusAccepted,
		"/v2/apps/cart/blobs/uploads/": http.StatusUnauthorized,
	} {
		if got := reg.Status(t, http.MethodPost, path, token); got != want {
			t.Errorf("%s answers %d to the token of apps/shop, want %d", path, got, want)
		}
	}
	thief := r.at(reg.Host, image.Login{Token: token})
	_, err = thief.BuildPackage(t.Context(), image.Package{Dir: folder(t, 10), Dest: reg.Host + "/apps/cart"})
	said(t, "a push to another app's repository", err, delivery.Denied, "refuses the login for "+reg.Host+"/apps/cart")
}

// A registry that is killed in the middle of a push, and comes back, costs no more than
// the chunk that was on its way.
func TestARegistryIsKilledInTheMiddleOfAPush(t *testing.T) {
	ca := NewAuthority(t)
	reg := StartWithPasswords(t, ca)
	r := target{host: reg.Host, ca: ca, login: image.Login{Username: User, Password: Password}}
	f := newFront(t, r)
	f.spoil = func(http.ResponseWriter, *http.Request, int) bool {
		if chunks, _ := f.seen(); chunks == 3 {
			reg.Down()
			if err := reg.Up(); err != nil {
				t.Error(err)
			}
			panic(http.ErrAbortHandler) // it was on its way
		}
		return false
	}
	pushed(t, r.at(f.Host, r.login), f.Host+"/apps/killed", folder(t, 4*chunk))
	if chunks, opened := f.seen(); opened != 2 || chunks != 4+1 {
		t.Errorf("%d uploads were opened, want 2, and %d chunks sent, want 5", opened, chunks)
	}
}
