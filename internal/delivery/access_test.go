package delivery_test

import (
	"fmt"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestAuthorise(t *testing.T) {
	actors := []struct {
		actor  delivery.Actor
		grants delivery.Grants
		rule   func(delivery.Command) string // "" is denied
	}{
		{ann, delivery.Grants{Admin: true}, func(delivery.Command) string { return "administrator" }},
		{ann, delivery.Grants{}, func(delivery.Command) string { return "" }},
		{delivery.System(), delivery.Grants{}, func(delivery.Command) string { return "system" }},
		{delivery.Actor{Kind: delivery.ActorRunner, Name: "shop-1-build-1"}, delivery.Grants{}, func(delivery.Command) string { return "" }},
		{delivery.Actor{Kind: delivery.ActorHook, Name: "gitlab"}, delivery.Grants{}, func(c delivery.Command) string {
			return map[delivery.Command]string{delivery.CmdRunStart: "hook"}[c]
		}},
		{delivery.Actor{}, delivery.Grants{}, func(delivery.Command) string { return "" }},
	}
	seen := map[delivery.Command]bool{}
	for _, c := range delivery.Commands() {
		if seen[c] {
			t.Errorf("%s is listed twice", c)
		}
		seen[c] = true
		for _, a := range actors {
			t.Run(fmt.Sprintf("%s/%s/%v", c, a.actor, a.grants.Admin), func(t *testing.T) {
				rule, err := delivery.Authorise(a.actor, a.grants, c, delivery.On("shop", "dev"))
				if want := a.rule(c); rule != want || (err == nil) != (want != "") {
					t.Errorf("rule %q, %v; want %q", rule, err, want)
				}
				if err != nil && delivery.KindOf(err) != delivery.Denied {
					t.Errorf("%v is %s", err, delivery.KindOf(err))
				}
			})
		}
	}
}
