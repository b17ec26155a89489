package storetest

import (
	"reflect"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func testUsers(t *testing.T, db Database) {
	b := start(t, db)
	ann := &delivery.User{Name: "ann", Kind: delivery.ActorUser, Groups: []string{"web"}, Password: "hash", CreatedAt: epoch}
	b.commit(delivery.Change{Users: []*delivery.User{ann}})
	dan := &delivery.User{Name: "dan", Kind: delivery.ActorUser, Identity: &delivery.Identity{Issuer: "https://id", Subject: "1"}, CreatedAt: epoch}
	b.commit(delivery.Change{Users: []*delivery.User{dan}})
	got, err := b.User(t.Context(), "ann")
	b.must(err)
	if !reflect.DeepEqual(got, *ann) || ann.Version != 1 {
		t.Errorf("got %+v, want %+v", got, *ann)
	}
	if got, err := b.UserByIdentity(t.Context(), *dan.Identity); err != nil || got.Name != "dan" {
		t.Errorf("%+v %v", got, err)
	}
	_, err = b.UserByIdentity(t.Context(), delivery.Identity{Issuer: "https://id"})
	b.wantKind(delivery.NotFound, err)
	b.refuse(delivery.Change{Users: []*delivery.User{{Name: "ann"}}})
	b.refuse(delivery.Change{Users: []*delivery.User{{Name: "other", Identity: dan.Identity}}})
	b.refuse(delivery.Change{Users: []*delivery.User{{Name: "ann", Version: 7}}})

	b.must(b.Rehash(t.Context(), "ann", "hash", "fresh"))
	b.wantKind(delivery.Conflict, b.Rehash(t.Context(), "ann", "hash", "stale"))
	b.refuse(delivery.Change{Users: []*delivery.User{ann}}) // it would bring the old hash back
	if all, err := b.Users(t.Context()); err != nil || len(all) != 2 || all[0].Password != "fresh" {
		t.Errorf("%+v %v", all, err)
	}
}

func testTokens(t *testing.T, db Database) {
	b := start(t, db)
	b.commit(delivery.Change{Users: []*delivery.User{{Name: "ann", Kind: delivery.ActorUser, Epoch: 3}}})
	want := delivery.Token{
		ID: "1", Kind: delivery.TokenAPI, Name: "laptop", Owner: "ann", Epoch: 3, Hash: "h1", From: "10.0.0.1",
		Scope: &delivery.TokenScope{Apps: []string{"shop"}}, CreatedAt: epoch, ExpiresAt: epoch.Add(time.Hour),
	}
	b.must(b.AddToken(t.Context(), want))
	b.wantKind(delivery.Conflict, b.AddToken(t.Context(), want))
	got, owner, err := b.TokenByHash(t.Context(), "h1")
	b.must(err)
	if !reflect.DeepEqual(got, want) || owner == nil || owner.Epoch != 3 {
		t.Errorf("got %+v of %+v", got, owner)
	}
	b.must(b.UseTokens(t.Context(), map[string]time.Time{"1": epoch.Add(time.Minute), "gone": epoch}))
	b.must(b.UseTokens(t.Context(), map[string]time.Time{"1": epoch})) // another replica is late
	if got, err := b.Token(t.Context(), "1"); err != nil || !got.UsedAt.Equal(epoch.Add(time.Minute)) {
		t.Errorf("%+v %v", got, err)
	}
	_, _, err = b.TokenByHash(t.Context(), "none")
	b.wantKind(delivery.NotFound, err)
	if _, owner, err := b.tokenOf(delivery.Token{ID: "free", Hash: "h0", Name: "admin", Grants: delivery.Grants{Admin: true}, CreatedAt: epoch}); err != nil || owner != nil {
		t.Errorf("a token without an owner: %+v %v", owner, err)
	}
}

func (b bench) tokenOf(t delivery.Token) (delivery.Token, *delivery.User, error) {
	b.t.Helper()
	b.must(b.AddToken(b.t.Context(), t))
	return b.TokenByHash(b.t.Context(), t.Hash)
}

func testRevocation(t *testing.T, db Database) {
	b := start(t, db)
	keep := func(id string, kind delivery.TokenKind, owner, by string, epochOf int64) {
		b.must(b.AddToken(t.Context(), delivery.Token{ID: id, Hash: id, Kind: kind, Owner: owner, By: by, Epoch: epochOf, CreatedAt: epoch}))
	}
	keep("a", delivery.TokenAPI, "ann", "", 1)
	keep("s", delivery.TokenSession, "ann", "a", 1)
	keep("l", delivery.TokenLogin, "ann", "", 1)
	keep("new", delivery.TokenAPI, "ann", "", 2)
	keep("bob", delivery.TokenSession, "bob", "", 0)
	keep("free", delivery.TokenSession, "", "", 0)
	left := func(want ...string) {
		t.Helper()
		all, err := b.Tokens(t.Context(), "")
		b.must(err)
		ids := map[string]bool{}
		for _, token := range all {
			ids[token.ID] = true
		}
		for _, id := range want {
			if !ids[id] {
				t.Errorf("%s is gone", id)
			}
		}
		if len(ids) != len(want) {
			t.Errorf("left are %v, want %v", ids, want)
		}
	}
	b.commit(delivery.Change{Revoke: []delivery.TokenMatch{{ID: "a"}}}) // and the session that it opened
	left("l", "new", "bob", "free")
	b.commit(delivery.Change{Revoke: []delivery.TokenMatch{{Owner: "ann", Epoch: 2}}})
	left("new", "bob", "free")
	b.commit(delivery.Change{Revoke: []delivery.TokenMatch{{Owner: "bob", Kind: delivery.TokenSession}, {Owner: "", Kind: delivery.TokenSession}}})
	left("new", "free")
	b.must(b.CloseToken(t.Context(), "new"))
	left("free")

	keep("old", delivery.TokenAPI, "ann", "", 0)
	b.must(b.AddToken(t.Context(), delivery.Token{ID: "over", Hash: "over", Kind: delivery.TokenAPI, CreatedAt: epoch, ExpiresAt: epoch.Add(time.Minute)}))
	b.must(b.ForgetTokens(t.Context(), epoch.Add(time.Minute)))
	left("free", "old")
}
