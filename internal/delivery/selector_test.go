package delivery_test

import (
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestSelectorMatches(t *testing.T) {
	shop := delivery.App{Name: "shop-web", Team: "web", Labels: map[string]string{"tier": "core"}}
	for _, c := range []struct {
		name string
		s    delivery.Selector
		want bool
	}{
		{"nothing chooses everything", delivery.Selector{}, true},
		{"its environment", delivery.Selector{Environments: []string{"pre", "prod"}}, true},
		{"another environment", delivery.Selector{Environments: []string{"pre"}}, false},
		{"a pattern", delivery.Selector{Apps: []string{"pay-*", "shop-*"}}, true},
		{"part of a name", delivery.Selector{Apps: []string{"shop"}}, false},
		{"its team", delivery.Selector{Teams: []string{"web"}}, true},
		{"another team", delivery.Selector{Apps: []string{"*"}, Teams: []string{"pay"}}, false},
		{"its tier", delivery.Selector{Tiers: []string{"core"}}, true},
		{"another tier", delivery.Selector{Tiers: []string{"edge"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.s.Matches(shop, "prod"); got != c.want {
				t.Errorf("%+v: %v", c.s, got)
			}
		})
	}
}
