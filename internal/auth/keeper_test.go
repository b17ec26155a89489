package auth_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/auth"
	"github.com/shiplock/shiplock/internal/delivery"
)

// memory keeps tokens by hash, of owners who are users.
type memory map[string]delivery.Token

func (m memory) AddToken(_ context.Context, t delivery.Token) error { m[t.Hash] = t; return nil }

func (m memory) TokenByHash(_ context.Context, hash string) (delivery.Token, *delivery.User, error) {
	t, ok := m[hash]
	if !ok {
		return t, nil, delivery.E(delivery.NotFound, "no token")
	}
	return t, &delivery.User{Name: t.Owner, Kind: delivery.ActorUser}, nil
}

func (m memory) CloseToken(_ context.Context, id string) error {
	maps.DeleteFunc(m, func(_ string, t delivery.Token) bool { return t.ID == id || t.By == id })
	return nil
}

func (m memory) UseTokens(_ context.Context, used map[string]time.Time) error {
	for hash, t := range m {
		if at, ok := used[t.ID]; ok {
			t.UsedAt = at
			m[hash] = t
		}
	}
	return nil
}

func (m memory) TokenCount(context.Context) (int, error) { return len(m), nil }

func TestBootstrapHandsOutOneAdministrator(t *testing.T) {
	kept := memory{}
	k, _ := keeper(kept)
	token, err := k.Bootstrap(t.Context())
	if err != nil || !strings.HasPrefix(token, "slk_") || len(token) != 47 {
		t.Fatalf("token %q, %v", token, err)
	}
	for _, kept := range kept {
		if strings.Contains(kept.Hash+kept.ID+kept.Name, token) {
			t.Error("the token itself is kept")
		}
	}
	a, g, err := k.Token(t.Context(), token)
	if err != nil || a != (delivery.Actor{Kind: delivery.ActorUser, Name: "admin"}) || !g.Admin {
		t.Errorf("who = %v %v %v", a, g, err)
	}
	if again, err := k.Bootstrap(t.Context()); again != "" || err != nil {
		t.Errorf("second bootstrap = %q, %v", again, err)
	}
}

func TestSecretsOfOneKindAreNoneOfAnother(t *testing.T) {
	k, _ := keeper(memory{})
	token, _ := k.Issue(t.Context(), "ann", delivery.Grants{})
	opened, _ := k.SessionFor(t.Context(), delivery.Actor{Name: "ann"}, delivery.Grants{}, "")
	session := opened.Secret
	for what, try := range map[string]func() error{
		"a token as a session":  func() error { _, _, err := k.Session(t.Context(), token); return err },
		"a session as a token":  func() error { _, _, err := k.Token(t.Context(), session); return err },
		"a session's hash":      func() error { _, _, err := k.Session(t.Context(), auth.Hash(session)); return err },
		"nothing":               func() error { _, _, err := k.Token(t.Context(), ""); return err },
		"a token of the future": func() error { _, _, err := k.Token(t.Context(), token+"0"); return err },
		"a token as a code":     func() error { _, _, err := k.Redeem(token); return err },
	} {
		if delivery.KindOf(try()) != delivery.Denied {
			t.Errorf("%s is accepted", what)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	k, now := keeper(memory{})
	o, err := k.SessionFor(t.Context(), delivery.Actor{Name: "ann"}, delivery.Grants{Admin: true}, "")
	if err != nil {
		t.Fatal(err)
	}
	for now.Before(o.ExpiresAt) { // it is used now and then
		if _, g, err := k.Session(t.Context(), o.Secret); err != nil || !g.Admin {
			t.Fatalf("at %v: %v %v", now, g, err)
		}
		*now = now.Add(auth.IdleLife)
	}
	if _, _, err := k.Session(t.Context(), o.Secret); delivery.KindOf(err) != delivery.Denied {
		t.Errorf("after its end: %v", err)
	}
}

func TestIdleSessionsEnd(t *testing.T) {
	k, now := keeper(memory{})
	token, _ := k.Issue(t.Context(), "ann", delivery.Grants{})
	o, err := k.SessionFor(t.Context(), delivery.Actor{Name: "ann"}, delivery.Grants{}, "")
	if err != nil {
		t.Fatal(err)
	}
	*now = now.Add(auth.IdleLife)
	if _, _, err := k.Session(t.Context(), o.Secret); err != nil {
		t.Errorf("just in time: %v", err)
	}
	if err := k.WriteUses(t.Context()); err != nil { // another server would see it
		t.Fatal(err)
	}
	*now = now.Add(auth.IdleLife + time.Second)
	if _, _, err := k.Session(t.Context(), o.Secret); delivery.KindOf(err) != delivery.Denied {
		t.Errorf("after nobody used it: %v", err)
	}
	if _, _, err := k.Token(t.Context(), token); err != nil {
		t.Errorf("a token need not be used: %v", err)
	}
}

// A session that a token opened may what the token may, and ends when it does.
func TestSessionsByTokensAreNoWider(t *testing.T) {
	m := memory{}
	k, now := keeper(m)
	scope := &delivery.TokenScope{Apps: []string{"shop"}}
	secret, hash := k.NewToken()
	m[hash] = delivery.Token{ID: "t", Kind: delivery.TokenAPI, Owner: "ann", Hash: hash, Scope: scope, ExpiresAt: now.Add(time.Hour)}
	o, who, err := k.SessionBy(t.Context(), secret, "")
	if err != nil || who.Name != "ann" {
		t.Fatal(who, err)
	}
	if _, g, err := k.Session(t.Context(), o.Secret); err != nil || g.Only != scope {
		t.Errorf("%+v %v", g, err)
	}
	*now = now.Add(time.Hour)
	if _, _, err := k.Session(t.Context(), o.Secret); err == nil {
		t.Error("it goes on after the token's end")
	}
	*now = now.Add(-time.Minute)
	if err := k.Close(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Session(t.Context(), o.Secret); err == nil {
		t.Error("it goes on without the token")
	}
}

func TestLinksWorkOnce(t *testing.T) {
	k, now := keeper(memory{})
	link := k.Link(delivery.Actor{Kind: delivery.ActorUser, Name: "demo"}, delivery.Grants{Admin: true})
	if a, g, err := k.Redeem(link); err != nil || a.Name != "demo" || !g.Admin {
		t.Fatalf("%v %v %v", a, g, err)
	}
	if _, _, err := k.Redeem(link); err == nil {
		t.Error("a link works twice")
	}
	late := k.Link(delivery.Actor{Name: "demo"}, delivery.Grants{})
	*now = now.Add(time.Hour)
	if _, _, err := k.Redeem(late); err == nil {
		t.Error("an old link works")
	}
}

func keeper(m memory) (*auth.Keeper, *time.Time) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	id := 0
	return auth.New(auth.Config{
		Tokens: m,
		Now:    func() time.Time { return now },
		NewID:  func() string { id++; return strings.Repeat("i", id) },
	}), &now
}
