package delivery_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestChangesOfARevision(t *testing.T) {
	from := delivery.Revision{Artifact: "sha256:old", Config: delivery.Config{
		Home: "/home/services", Replicas: 2,
		Variables: map[string]string{"LEVEL": "info", "DB_PASSWORD": "old", "GONE": "1", "DB": "postgres://shop:s3cret@db/shop"},
	}}
	to := delivery.Revision{Artifact: "sha256:new", Config: delivery.Config{
		Home: "/home/services", Replicas: 3,
		Variables: map[string]string{"LEVEL": "debug", "DB_PASSWORD": "new", "FRESH": "1", "DB": "postgres://shop:0ther@db/shop"},
		Workload:  &delivery.Workload{Files: []delivery.ConfigFile{{Path: "a.conf", Content: "password=hunter2"}}},
	}}
	got := from.ChangesTo(to)
	for _, c := range got {
		if all := c.From + c.To; strings.Contains(all, "hunter2") || strings.Contains(all, "s3cret") || strings.Contains(all, "0ther") {
			t.Errorf("a secret is shown: %+v", c)
		}
	}
	if files := got[len(got)-1]; files.Field != "config.workload.files" || files.From != "" || !strings.Contains(files.To, `"a.conf"`) {
		t.Errorf("files: %+v", files)
	}
	want := []delivery.Difference{
		{Field: "artifact", From: `"sha256:old"`, To: `"sha256:new"`},
		{Field: "config.replicas", From: "2", To: "3"},
		{Field: "config.variables.DB", From: `"postgres://shop:(hidden)@db/shop"`, To: `"postgres://shop:(hidden)@db/shop"`},
		{Field: "config.variables.DB_PASSWORD", From: "(hidden)", To: "(hidden)"},
		{Field: "config.variables.FRESH", To: `"1"`},
		{Field: "config.variables.GONE", From: `"1"`},
		{Field: "config.variables.LEVEL", From: `"info"`, To: `"debug"`},
	}
	if diff := cmp.Diff(want, got[:len(got)-1]); diff != "" {
		t.Error(diff)
	}
	if same := from.ChangesTo(from); len(same) != 0 {
		t.Errorf("the same differs: %+v", same)
	}
	if first := (*delivery.Revision)(nil).ChangesTo(to); len(first) == 0 || first[0].From != "" {
		t.Errorf("of nothing: %+v", first)
	}
}

func TestAVariableInAListIsHiddenByItsName(t *testing.T) {
	got := delivery.Shown([]any{
		map[string]any{"name": "API_TOKEN", "value": "hunter2"},
		map[string]any{"name": "LEVEL", "value": "info"},
	})
	if want := `[{"name":"API_TOKEN","value":"(hidden)"},{"name":"LEVEL","value":"info"}]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if long := delivery.Shown(strings.Repeat("x", 1000)); len(long) > 30 {
		t.Errorf("a long value is shown: %s", long)
	}
}
