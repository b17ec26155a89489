//go:build e2e

package registry

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/test/harness"
)

// A build pushes with a token for its own repository, which the registry itself holds
// it to, and what it pushed is served.
func TestABuildPushesWithATokenOfItsOwn(t *testing.T) {
	service := NewTokens(t, NewAuthority(t), map[string]string{User: Password})
	reg := StartWithTokens(t, service)
	w := newWorld(t, reg)
	run := w.good("shop", "dev", "one")
	w.serves("shop", run.Image.Digest)

	want := []string{"repository:apps/shop:push,pull", "repository:apps/shiplock/base:pull"}
	i := slices.IndexFunc(service.Grants(), func(g Grant) bool { return slices.Equal(g.Scopes, want) })
	if i < 0 {
		t.Fatalf("nobody asked for %q: %+v", want, service.Grants())
	}
	token := service.Grants()[i].Token
	for path, want := range map[string]int{
		"/v2/apps/shop/blobs/uploads/":          http.StatusAccepted,
		"/v2/apps/cart/blobs/uploads/":          http.StatusUnauthorized,
		"/v2/apps/shiplock/base/blobs/uploads/": http.StatusUnauthorized,
	} {
		if got := reg.Status(t, http.MethodPost, path, token); got != want {
			t.Errorf("%s answers %d to the build's token, want %d", path, got, want)
		}
	}
	tag := fmt.Sprintf("/v2/apps/shop/manifests/%d-%s", run.Number, run.Commit.Short())
	if got := reg.Status(t, http.MethodHead, tag, token); got != http.StatusOK {
		t.Errorf("%s answers %d: the server has not tagged it", tag, got)
	}
}

// serves waits until an app runs a digest in dev, and asks it.
func (w *world) serves(app string, digest delivery.Digest) {
	w.t.Helper()
	var target api.Target
	if !harness.Eventually(time.Minute, func() bool {
		w.api.Must("GET", "/targets/"+app+"/dev", nil, &target)
		return target.State == api.TargetHealthy && target.Running != nil && target.Running.Artifact == digest
	}) {
		w.t.Fatalf("dev runs %+v, want %s\n%s", target, digest, w.server.LogTail())
	}
	resp, err := http.Get(target.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "ok\n" {
		w.t.Errorf("the app says %q, %v", text, err)
	}
}

// A registry that knows passwords only gets the login of just that app's repository
// from a build, or none.
func TestABuildPushesWithAPasswordOfItsOwn(t *testing.T) {
	reg := StartWithPasswords(t, NewAuthority(t))
	repository := reg.Host + "/apps/"
	refusal := "the registry " + reg.Host + "/apps gives no tokens for one repository, and its login would let a build write any image: add a login for " + repository + "cart alone"
	t.Run("none", func(t *testing.T) {
		w := newWorld(t, reg)
		w.fails("cart", "one", refusal)
	})
	t.Run("own", func(t *testing.T) {
		auth := fmt.Sprintf(`{"auths": {%q: {"username": %q, "password": %q}}}`, repository+"shop", ShopUser, ShopPassword)
		w := newWorld(t, reg, "--registry-auth", file(t, "auth.json", auth))
		w.serves("shop", w.good("shop", "dev", "two").Image.Digest)
		w.fails("cart", "two", refusal)
	})
	t.Run("wrong", func(t *testing.T) { // so it is the app's own that is used
		auth := fmt.Sprintf(`{"auths": {%q: {"username": %q, "password": "x"}}}`, repository+"cart", ShopUser)
		w := newWorld(t, reg, "--registry-auth", file(t, "auth.json", auth))
		w.fails("cart", "three", "the registry refuses the login for "+repository+"shiplock/base, which needs the permission pull")
	})
	t.Run("shared", func(t *testing.T) {
		w := newWorld(t, reg, "--registry-shared-credential")
		w.good("cart", "dev", "four")
	})
}

// fails builds, and looks for what the run's Cause says.
func (w *world) fails(app, message, text string) {
	w.t.Helper()
	r := w.build(app, "dev", message)
	if r.State != delivery.RunFailed || r.Cause == nil || !strings.Contains(r.Cause.Text, text) {
		w.t.Errorf("%s is %s: %+v\nwant …%s…\n%s", r.Name, r.State, r.Cause, text, w.api.LogText(r.ID))
	}
}

// What retention lets go is removed from the registry, and nothing else is; a registry
// that removes nothing is asked once.
func TestThePastGoesFromTheRegistry(t *testing.T) {
	ca := NewAuthority(t)
	for name, reg := range map[string]*Server{"removes": StartWithPasswords(t, ca), "keeps": StartWithoutDelete(t, ca)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, reg, "--registry-shared-credential", "--retention-every", "1s")
			r := target{host: reg.Host, ca: ca, login: image.Login{Username: User, Password: Password}}
			pushed(t, r.client(), reg.Host+"/apps/shop:theirs", folder(t, 10))
			var digests []delivery.Digest
			for _, message := range []string{"one", "two", "three"} {
				digests = append(digests, w.good("shop", "prod", message).Image.Digest)
			}
			w.api.Apply(harness.Document("Retention", "default", `{"runs": 1, "age": "1s", "logs": "1s", "audit": "1h", "grace": "1s"}`))
			const once = "the registry removes no images"
			if !harness.Eventually(time.Minute, func() bool {
				return reg.has(t, digests[0]) == (name == "keeps") && reg.has(t, digests[1]) == (name == "keeps") &&
					strings.Contains(w.server.LogTail(), once) == (name == "keeps")
			}) {
				t.Errorf("the images of the past are there: %v %v\n%s", reg.has(t, digests[0]), reg.has(t, digests[1]), w.server.LogTail())
			}
			if !reg.has(t, digests[2]) || !reg.has(t, "theirs") {
				t.Error("what stays is gone")
			}
			if n := strings.Count(w.server.LogTail(), once); n > 1 {
				t.Errorf("it is said %d times", n)
			}
		})
	}
}

// has tells whether the repository of shop has an image, by its digest or tag.
func (s *Server) has(t *testing.T, ref delivery.Digest) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, "https://"+s.Host+"/v2/apps/shop/manifests/"+string(ref), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(User, Password)
	r.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json")
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// What is wrong with an installation's login or certificate is said where people look:
// in the server's log, and in the run.
func TestAnInstallationThatIsWrongAboutItsRegistry(t *testing.T) {
	ca := NewAuthority(t)
	reg := StartWithTokens(t, NewTokens(t, ca, map[string]string{User: Password}))
	repository := reg.Host + "/apps/"
	t.Run("password", func(t *testing.T) {
		w := worldWith(t, reg, "wrong", ca)
		w.fails("shop", "one", "the registry refuses the login for "+repository+"shop, which needs the permission pull,push")
		w.logs("the registry refuses the login for " + repository + "shiplock/base")
	})
	t.Run("authority", func(t *testing.T) {
		w := worldWith(t, reg, Password, NewAuthority(t))
		const advice = " is not trusted: name the authority that signed it with --registry-ca"
		id := w.start("shop", "dev", "two").ID
		said := "The registry does not answer; trying for up to 10m0s: the certificate of the registry of " + repository + "shiplock/base" + advice
		var page api.LogPage
		if !harness.Eventually(time.Minute, func() bool {
			err := w.api.Do("GET", "/runs/"+string(id)+"/logs", nil, &page) // there is none at first
			return err == nil && slices.ContainsFunc(page.Lines, func(l api.LogLine) bool { return strings.HasPrefix(l.Text, said) })
		}) {
			t.Errorf("the run does not say %q: %+v", said, page.Lines)
		}
		w.logs("shiplock/base" + advice)
	})
	t.Run("no way for builds", func(t *testing.T) {
		w := newWorld(t, StartWithPasswords(t, ca))
		w.logs("builds cannot push")
	})
}

// logs waits until the server has logged something.
func (w *world) logs(text string) {
	w.t.Helper()
	if !harness.Eventually(time.Minute, func() bool { return strings.Contains(w.server.LogTail(), text) }) {
		w.t.Errorf("the server does not log %q:\n%s", text, w.server.LogTail())
	}
}
