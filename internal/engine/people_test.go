package engine_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// weak makes secrets that a test can look for.
type weak struct{}

func (weak) NewToken() (secret, hash string) { return "secret-token", "kept-token" }

func (weak) NewPassword(context.Context) (password, hash string, err error) {
	return "secret-password", "kept-password", nil
}

func (weak) HashPassword(_ context.Context, password string) (string, error) {
	return "kept-" + password, nil
}

func as(name string) engine.Principal {
	return engine.Principal{Actor: delivery.Actor{Kind: delivery.ActorUser, Name: name}}
}

func (w *world) addUser(ask api.AddUser) delivery.User {
	w.t.Helper()
	u, _, err := w.AddUser(w.t.Context(), admin(), ask)
	w.must(err)
	return u
}

func TestUsers(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		u, password, err := w.AddUser(t.Context(), admin(), api.AddUser{Name: "bob", Groups: []string{"web", "ops", "web"}})
		if err != nil || password == "" || !u.MustChange || len(u.Groups) != 2 {
			t.Fatalf("%+v %q %v", u, password, err)
		}
		_, _, err = w.AddUser(t.Context(), admin(), api.AddUser{Name: "bob"})
		w.refused(err, delivery.Conflict, "there is a user bob already")
		for _, name := range []string{"Bob", "", "a b", "administrator", "-x", "ünal"} {
			_, _, err = w.AddUser(t.Context(), admin(), api.AddUser{Name: name})
			w.refused(err, delivery.Invalid, name)
		}
		_, password, err = w.AddUser(t.Context(), admin(), api.AddUser{Name: "ci", Service: true})
		if err != nil || password != "" {
			t.Errorf("a program has the password %q, %v", password, err)
		}
		_, _, err = w.ResetPassword(t.Context(), admin(), "ci")
		w.refused(err, delivery.Conflict, "shiplock token create --for ci")
		_, err = w.ChangeUser(t.Context(), admin(), "nobody", api.ChangeUser{})
		w.refused(err, delivery.NotFound, "there is no user nobody")
		off := true
		_, err = w.ChangeUser(t.Context(), admin(), admin().Actor.Name, api.ChangeUser{Disabled: &off})
		w.refused(err, delivery.Conflict, "cannot disable yourself")
	})
}

// The audit says what was done to whom, and never a secret or its hash.
func TestAuditHoldsNoSecrets(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		u := w.addUser(api.AddUser{Name: "bob"})
		_, _, err := w.CreateToken(t.Context(), admin(), api.CreateToken{For: "bob", Name: "ci"})
		w.must(err)
		_, _, err = w.ResetPassword(t.Context(), admin(), "bob")
		w.must(err)
		u, err = w.store.User(t.Context(), u.Name)
		w.must(err)
		_, err = w.ChangePassword(t.Context(), u, "secret-chosen", "10.1.2.3")
		w.must(err)
		text, err := json.Marshal(w.audit())
		w.must(err)
		for _, secret := range []string{"secret-", "kept-"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("the audit holds %q: %s", secret, text)
			}
		}
		if a := w.audit()[0]; a.Rule != "oneself" || a.Actor.Name != "bob" || a.Detail != "password changed" {
			t.Errorf("%+v", a)
		}
	})
}

// Whatever ends what a user signed in with moves the epoch, and removes the rows.
func TestWhatEndsTokens(t *testing.T) {
	off, on := true, false
	for name, do := range map[string]func(w *world) error{
		"disabling": func(w *world) error {
			_, err := w.ChangeUser(w.t.Context(), admin(), "bob", api.ChangeUser{Disabled: &off})
			return err
		},
		"a reset": func(w *world) error { _, _, err := w.ResetPassword(w.t.Context(), admin(), "bob"); return err },
		"a new password": func(w *world) error {
			u, err := w.store.User(w.t.Context(), "bob")
			if err == nil {
				_, err = w.ChangePassword(w.t.Context(), u, "a new password", "")
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				w.addUser(api.AddUser{Name: "bob"})
				w.addUser(api.AddUser{Name: "ann2"})
				kept, _, err := w.CreateToken(t.Context(), admin(), api.CreateToken{For: "bob"})
				w.must(err)
				w.must(do(w))
				u, err := w.store.User(t.Context(), "bob")
				w.must(err)
				if _, _, ok := kept.Bearer(&u, time.Now()); ok {
					t.Error("the token still works")
				}
				if left, err := w.store.Tokens(t.Context(), "bob"); err != nil || len(left) != 0 {
					t.Errorf("left: %v %v", left, err)
				}
				if name == "disabling" {
					_, _, err := w.CreateToken(t.Context(), admin(), api.CreateToken{For: "bob"})
					w.refused(err, delivery.Conflict, "bob is disabled")
					u, err = w.ChangeUser(t.Context(), admin(), "bob", api.ChangeUser{Disabled: &on})
					w.must(err)
					if _, _, ok := kept.Bearer(&u, time.Now()); ok {
						t.Error("the token works again")
					}
				}
			})
		})
	}
}

// What is somebody's own needs no rule; what is another's needs one; a narrowed token
// makes no wider one.
func TestOneselfAndOthers(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.addUser(api.AddUser{Name: "bob"})
		w.addUser(api.AddUser{Name: "eve"})
		own, _, err := w.CreateToken(t.Context(), as("bob"), api.CreateToken{})
		if err != nil || own.Owner != "bob" || own.ExpiresAt.IsZero() {
			t.Fatalf("%+v %v", own, err)
		}
		_, _, err = w.CreateToken(t.Context(), as("eve"), api.CreateToken{For: "bob"})
		w.refused(err, delivery.Denied, "eve may not token.issue")
		w.refused(w.RevokeToken(t.Context(), as("eve"), own.ID), delivery.Denied, "eve may not token.revoke")
		w.refused(w.RevokeToken(t.Context(), as("eve"), "none"), delivery.Denied, "eve may not token.revoke")
		_, err = w.ChangeUser(t.Context(), as("bob"), "bob", api.ChangeUser{Groups: &[]string{"leads"}})
		w.refused(err, delivery.Denied, "bob may not user.edit")
		service := engine.Principal{Actor: delivery.Actor{Kind: delivery.ActorHook, Name: "bob"}}
		_, _, err = w.CreateToken(t.Context(), service, api.CreateToken{})
		w.refused(err, delivery.Denied, "may not token.issue")

		narrow := as("bob")
		narrow.Grants.Only = &delivery.TokenScope{Apps: []string{"shop"}}
		_, _, err = w.CreateToken(t.Context(), narrow, api.CreateToken{})
		w.refused(err, delivery.Denied, "a token with a scope may not token.issue")
		w.must(w.RevokeToken(t.Context(), as("bob"), own.ID))
		_, _, err = w.CreateToken(t.Context(), as("bob"), api.CreateToken{Scope: &delivery.TokenScope{Commands: []delivery.Command{"run.strat"}}})
		w.refused(err, delivery.Invalid, "run.start")
	})
}

// The scope of an administrator's token narrows it all the same.
func TestScopeNarrowsAdministrators(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		p := admin()
		p.Grants.Only = &delivery.TokenScope{Commands: []delivery.Command{delivery.CmdTargetPause}, Environments: []string{"prod"}}
		w.must(w.PauseTarget(t.Context(), p, "shop", "prod", "why"))
		w.refused(w.PauseTarget(t.Context(), p, "shop", "dev", "why"), delivery.Denied, "its scope is the environments prod")
		w.refused(w.ResumeTarget(t.Context(), p, "shop", "prod"), delivery.Denied, "not for target.resume")
		w.must(w.Allow(t.Context(), p, delivery.CmdRead, delivery.On("shop", "prod")))
		w.refused(w.Allow(t.Context(), p, delivery.CmdRead, delivery.On("shop", "dev")), delivery.Denied, "not for shop/dev")
	})
}

func TestOnlyAdministratorsChangeThem(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		password, err := w.FirstUser(t.Context(), "admin")
		if err != nil || password == "" {
			t.Fatal(password, err)
		}
		if again, err := w.FirstUser(t.Context(), "admin"); again != "" || err != nil {
			t.Errorf("a second first user: %q %v", again, err)
		}
		u, err := w.store.User(t.Context(), "admin")
		if err != nil || !u.Admin || !u.MustChange {
			t.Errorf("%+v %v", u, err)
		}
		_, err = w.ChangeUser(t.Context(), as("eve"), "admin", api.ChangeUser{})
		w.refused(err, delivery.Denied, "")
	})
}

func TestSignInFromElsewhere(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		claims := delivery.Claims{Identity: delivery.Identity{Issuer: "https://id.example", Subject: "42"}, Name: "dan", Email: "dan@example.com", Groups: []string{"web"}}
		u, err := w.SignIn(t.Context(), claims, "")
		if err != nil || u.Name != "dan" || u.Grants().Admin || len(u.Grants().Groups) != 1 {
			t.Fatalf("%+v %v", u, err)
		}
		w.must(func() error {
			_, err := w.ChangeUser(t.Context(), admin(), "dan", api.ChangeUser{Groups: &[]string{"leads"}})
			return err
		}())
		claims.Groups, claims.Name = []string{"ops"}, "daniel" // the name stays
		u, err = w.SignIn(t.Context(), claims, "")
		if err != nil || u.Name != "dan" || strings.Join(u.Grants().Groups, " ") != "leads ops" {
			t.Errorf("%+v %v", u, err)
		}
		before := len(w.audit())
		if _, err := w.SignIn(t.Context(), claims, ""); err != nil || len(w.audit()) != before {
			t.Errorf("a log-in that changes nothing: %v, %d entries more", err, len(w.audit())-before)
		}
		w.addUser(api.AddUser{Name: "bob"})
		_, err = w.SignIn(t.Context(), delivery.Claims{Identity: delivery.Identity{Issuer: "https://id.example", Subject: "43"}, Name: "bob"}, "")
		w.refused(err, delivery.Conflict, "there is a user bob here who does not sign in at https://id.example")
		_, err = w.SignIn(t.Context(), delivery.Claims{Identity: delivery.Identity{Issuer: "https://id.example", Subject: "44"}, Name: "dan"}, "")
		w.refused(err, delivery.Conflict, "somebody else at https://id.example")
		_, err = w.SignIn(t.Context(), delivery.Claims{Identity: delivery.Identity{Issuer: "https://id.example", Subject: "45"}, Name: "administrator"}, "")
		w.refused(err, delivery.Invalid, "Shiplock's own")
		off := true
		_, err = w.ChangeUser(t.Context(), admin(), "dan", api.ChangeUser{Disabled: &off})
		w.must(err)
		_, err = w.SignIn(t.Context(), claims, "")
		w.refused(err, delivery.Denied, "disabled")
		_, _, err = w.ResetPassword(t.Context(), admin(), "dan")
		w.refused(err, delivery.Conflict, "signs in at https://id.example")
	})
}
