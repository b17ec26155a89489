package engine_test

import (
	"context"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// counter opens any repository, and says which.
type counter struct{ asked []string }

func (c *counter) Open(_ context.Context, repository string, of []string) (api.PushLogin, error) {
	c.asked = append(c.asked, repository+" of "+strings.Join(of, ", "))
	return api.PushLogin{Token: "for " + repository}, nil
}

// Nobody but the current runner of a running job is given what opens its repository.
func TestALoginIsForTheRunningAttempt(t *testing.T) {
	registry := &counter{}
	for name, tc := range map[string]struct {
		pushes engine.Pushes
		want   func(r *runner) api.PushLogin
	}{
		"embedded": {nil, func(r *runner) api.PushLogin { return api.PushLogin{Username: r.key, Password: r.token} }},
		"external": {registry, func(*runner) api.PushLogin { return api.PushLogin{Token: "for shop"} }},
	} {
		t.Run(name, func(t *testing.T) {
			playWith(t, func(c *engine.Config) { c.Pushes = tc.pushes }, func(t *testing.T, w *world) {
				w.apply(app("shop", ""))
				w.startRun("shop", "dev")
				r := w.claim()
				got, err := w.OpenPush(t.Context(), r.key, r.token)
				if want := tc.want(r); err != nil || got != want {
					t.Errorf("login %+v, %v; want %+v", got, err, want)
				}
				if _, err := w.OpenPush(t.Context(), r.key, "somebody else's token"); !engine.IsGone(err) {
					t.Errorf("a stranger is answered %v", err)
				}
				r.succeed(digest("a"))
				if _, err := w.OpenPush(t.Context(), r.key, r.token); !engine.IsGone(err) {
					t.Errorf("after the job's end: %v", err)
				}
			})
		})
	}
	if want := "shop of localhost:5000/shiplock/base:1"; len(registry.asked) != 1 || registry.asked[0] != want {
		t.Errorf("asked for %q, want %q once", registry.asked, want)
	}
}

// A registry that refuses the server what it let the runner do ends the run, and says
// why: another attempt would be refused too.
func TestARegistryThatRefusesTheServer(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.images.Refuse("accept", delivery.E(delivery.Denied, "the registry does not allow pull,push on registry.example.com/shop: give its user that permission"))
		w.apply(app("shop", ""))
		id := w.startRun("shop", "dev")
		r := w.claim()
		w.must(r.finish(good(digest("a"))))
		run := w.wantRun(id, delivery.RunFailed)
		if c := run.Cause(); c == nil || !strings.HasPrefix(c.Text, "image failed: the registry does not allow") || run.Artifact != nil {
			t.Errorf("it ends with %+v and artifact %+v", run.Cause(), run.Artifact)
		}
	})
}

// A runner of the version before has its login in its assignment, which only the
// embedded registry takes.
func TestOldRunners(t *testing.T) {
	for name, pushes := range map[string]engine.Pushes{"embedded": nil, "external": &counter{}} {
		t.Run(name, func(t *testing.T) {
			playWith(t, func(c *engine.Config) { c.Pushes = pushes }, func(t *testing.T, w *world) {
				w.apply(app("shop", ""))
				w.startRun("shop", "dev")
				c := w.alive()
				c.Protocols = []int{api.RunnerProtocol - 1}
				a, err := w.Claim(t.Context(), c)
				if pushes != nil {
					w.refused(err, delivery.Invalid, "install a runner")
					return
				}
				if err != nil || a.Protocol != api.RunnerProtocol-1 || a.Push.Password != c.Token {
					t.Errorf("assignment of protocol %d, password %q, %v", a.Protocol, a.Push.Password, err)
				}
			})
		})
	}
}
