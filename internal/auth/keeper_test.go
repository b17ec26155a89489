package auth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/auth"
	"github.com/shiplock/shiplock/internal/delivery"
)

// memory keeps tokens by hash.
type memory map[string]auth.Token

func (m memory) AddToken(_ context.Context, t auth.Token) error { m[t.Hash] = t; return nil }

func (m memory) TokenByHash(_ context.Context, hash string) (auth.Token, error) {
	t, ok := m[hash]
	if !ok {
		return t, delivery.E(delivery.NotFound, "no token")
	}
	return t, nil
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
	session, _, _ := k.OpenSession(t.Context(), delivery.Actor{Name: "ann"}, delivery.Grants{})
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
	session, expires, err := k.OpenSession(t.Context(), delivery.Actor{Name: "ann"}, delivery.Grants{Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	*now = expires
	if _, g, err := k.Session(t.Context(), session); err != nil || !g.Admin {
		t.Errorf("at its end: %v %v", g, err)
	}
	*now = expires.Add(time.Millisecond)
	if _, _, err := k.Session(t.Context(), session); delivery.KindOf(err) != delivery.Denied {
		t.Errorf("after its end: %v", err)
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
