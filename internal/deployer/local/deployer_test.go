package local

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestAWishHasTheSharesOfTheDesired(t *testing.T) {
	old := &delivery.Revision{ID: "sha256:old"}
	fresh := &delivery.Revision{ID: "sha256:new"}
	for name, c := range map[string]struct {
		desired delivery.Desired
		want    map[string]int
	}{
		"nothing":        {delivery.Desired{}, map[string]int{}},
		"stable only":    {delivery.Desired{Stable: old}, map[string]int{"sha256:old": 100}},
		"first release":  {delivery.Desired{Canary: fresh, Share: 100}, map[string]int{"sha256:new": 100}},
		"canary":         {delivery.Desired{Stable: old, Canary: fresh, Share: 25}, map[string]int{"sha256:old": 75, "sha256:new": 25}},
		"all but warm":   {delivery.Desired{Stable: old, Canary: fresh, Share: 100}, map[string]int{"sha256:old": 0, "sha256:new": 100}},
		"switched back":  {delivery.Desired{Stable: old, Canary: fresh}, map[string]int{"sha256:old": 100, "sha256:new": 0}},
		"same both ways": {delivery.Desired{Stable: old, Canary: old, Share: 25}, map[string]int{"sha256:old": 100}},
	} {
		got := map[string]int{}
		for _, v := range wish("shop", "prod", c.desired).Versions {
			got[v.ID] = v.Weight
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
