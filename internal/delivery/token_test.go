package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestNarrowed(t *testing.T) {
	shop, blog := delivery.On("shop", "prod"), delivery.On("blog", "dev")
	for _, c := range []struct {
		scope *delivery.TokenScope
		cmd   delivery.Command
		on    delivery.Object
		want  bool
	}{
		{nil, delivery.CmdUserEdit, delivery.Everything("user ann"), true},
		{&delivery.TokenScope{}, delivery.CmdRunStart, shop, true},
		{&delivery.TokenScope{}, delivery.CmdTokenIssue, delivery.Everything("user ann"), false},
		{&delivery.TokenScope{}, delivery.CmdUserEdit, delivery.Everything("user ann"), false},
		{&delivery.TokenScope{}, delivery.CmdAccessEdit, shop, false},
		{&delivery.TokenScope{Commands: []delivery.Command{delivery.CmdRunStart}}, delivery.CmdRunStart, shop, true},
		{&delivery.TokenScope{Commands: []delivery.Command{delivery.CmdRunStart}}, delivery.CmdRunCancel, shop, false},
		{&delivery.TokenScope{Commands: []delivery.Command{delivery.CmdRunStart}}, delivery.CmdRead, shop, true},
		{&delivery.TokenScope{Apps: []string{"shop"}}, delivery.CmdRunStart, shop, true},
		{&delivery.TokenScope{Apps: []string{"shop"}}, delivery.CmdRunStart, blog, false},
		{&delivery.TokenScope{Apps: []string{"sh*"}}, delivery.CmdRunStart, shop, true},
		{&delivery.TokenScope{Apps: []string{"*"}}, delivery.CmdApply, delivery.Everything("catalog"), false},
		{&delivery.TokenScope{Apps: []string{"shop"}}, delivery.CmdRead, delivery.On("shop", ""), true},
		{&delivery.TokenScope{Apps: []string{"shop"}}, delivery.CmdRead, delivery.Everything("audit"), false},
		{&delivery.TokenScope{Environments: []string{"dev"}}, delivery.CmdRunStart, shop, false},
		{&delivery.TokenScope{Environments: []string{"dev"}}, delivery.CmdRunStart, blog, true},
		{&delivery.TokenScope{Environments: []string{"dev"}}, delivery.CmdRead, delivery.On("shop", ""), true},
		{&delivery.TokenScope{Environments: []string{"dev"}}, delivery.CmdApply, delivery.On("shop", ""), false},
	} {
		err := delivery.Grants{Admin: true, Only: c.scope}.Narrowed(c.cmd, c.on)
		if (err == nil) != c.want || err != nil && delivery.KindOf(err) != delivery.Denied {
			t.Errorf("%+v, %s on %s: %v", c.scope, c.cmd, c.on, err)
		}
	}
}

func TestScopeIsChecked(t *testing.T) {
	for _, s := range []*delivery.TokenScope{{Commands: []delivery.Command{"run.strat"}}, {Apps: []string{"["}}, {Environments: []string{""}}} {
		if err := s.Check(); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if err := (*delivery.TokenScope)(nil).Check(); err != nil {
		t.Error(err)
	}
}

func TestBearer(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ann := &delivery.User{Name: "ann", Kind: delivery.ActorUser, Groups: []string{"web", "ops"}, Claimed: []string{"ops", "all"}, Epoch: 2}
	with := func(change func(*delivery.User)) *delivery.User {
		u := *ann
		change(&u)
		return &u
	}
	of := delivery.Token{Owner: "ann", Epoch: 2, ExpiresAt: now.Add(time.Second), Grants: delivery.Grants{Admin: true}}
	for what, c := range map[string]struct {
		token delivery.Token
		owner *delivery.User
		ok    bool
	}{
		"a user's":            {of, ann, true},
		"of nobody any more":  {of, nil, false},
		"of who is disabled":  {of, with(func(u *delivery.User) { u.Disabled = true }), false},
		"of another password": {of, with(func(u *delivery.User) { u.Epoch = 3 }), false},
		"expired":             {delivery.Token{Owner: "ann", Epoch: 2, ExpiresAt: now}, ann, false},
		"one that stays":      {delivery.Token{Owner: "ann", Epoch: 2}, ann, true},
		"of the first start":  {delivery.Token{Name: "admin", Grants: delivery.Grants{Admin: true}}, nil, true},
		"of none at all":      {delivery.Token{}, nil, false},
	} {
		a, g, ok := c.token.Bearer(c.owner, now)
		if ok != c.ok {
			t.Errorf("%s: %v", what, ok)
		}
		if ok && c.owner != nil && (a != ann.Actor() || g.Admin || strings.Join(g.Groups, " ") != "all ops web") {
			t.Errorf("%s: %v %+v", what, a, g)
		}
	}
}

// What a list shows to a token with a scope is what it may, and no more.
func TestScopeNarrowsLists(t *testing.T) {
	policy := delivery.NewPolicy([]delivery.Binding{{Name: "web", Role: delivery.RoleViewer, Subjects: []delivery.Subject{{Kind: delivery.SubjectUser, Name: "ann"}}, Scope: delivery.Scope{Everything: true}}})
	only := &delivery.TokenScope{Apps: []string{"shop"}, Environments: []string{"dev"}}
	for _, g := range []delivery.Grants{{Admin: true, Only: only}, {Only: only}} {
		v := policy.View(ann, g, delivery.CmdRead)
		for on, want := range map[delivery.Object][2]bool{ // has, touches
			delivery.On("shop", "dev"):  {true, true},
			delivery.On("shop", "prod"): {false, false},
			delivery.On("blog", "dev"):  {false, false},
			delivery.On("shop", ""):     {true, true},
			delivery.On("", "dev"):      {false, true},
			delivery.On("", "prod"):     {false, false},
			{}:                          {false, true},
		} {
			if got := [2]bool{v.Has(on), v.Touches(on)}; got != want || v.Everything {
				t.Errorf("%+v on %v: %v, want %v", g, on, got, want)
			}
			if allowed := policy.Decide(ann, g, delivery.CmdRead, on).Allowed; allowed != want[0] {
				t.Errorf("%+v on %v: decided %v", g, on, allowed)
			}
		}
	}
}
