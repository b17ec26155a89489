package local

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestAWishHasTheCommandBeforeTheRelease(t *testing.T) {
	old := &delivery.Revision{ID: "sha256:old"}
	fresh := &delivery.Revision{ID: "sha256:new", Config: delivery.Config{Workload: &delivery.Workload{PreDeploy: delivery.PreDeploy{Run: "./migrate"}}}}
	want := &Preparation{Version: "sha256:new", Release: "rel-1", Run: "./migrate", LimitMS: 600_000}
	if diff := cmp.Diff(want, wish("shop", "prod", delivery.Desired{Stable: old, Canary: fresh, Prepare: "rel-1"}).Prepare); diff != "" {
		t.Error(diff)
	}
	for name, d := range map[string]delivery.Desired{
		"no release":       {Stable: old, Canary: fresh},
		"no command":       {Stable: fresh, Canary: old, Prepare: "rel-1"},
		"no new version":   {Stable: fresh, Prepare: "rel-1"},
		"the same version": {Stable: fresh, Canary: fresh, Prepare: "rel-1"},
	} {
		if p := wish("shop", "prod", d).Prepare; p != nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

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
