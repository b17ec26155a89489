package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// A translation changes a copy: what the server holds stays as it was.
func TestInCopiesWhatItChanges(t *testing.T) {
	cause := delivery.Because("target.paused", delivery.Args{"target": "shop/prod", "by": "ann"})
	make := func() Run {
		c := cause
		return Run{
			RunSummary: RunSummary{Name: "shop#1", Cause: &c},
			Plan:       delivery.Plan{Steps: []delivery.PlanStep{{Name: "checkout", Why: "standard: every run checks out its exact commit"}}},
			Jobs:       []delivery.Job{{Name: "build", Lost: []delivery.LostAttempt{{Attempt: 1, Cause: c}}}},
		}
	}
	r := make()
	said := In(phrase.Chinese, r)
	if diff := cmp.Diff(make(), r); diff != "" {
		t.Errorf("the original changed: %s", diff)
	}
	const want = "shop/prod 已被 ann 暂停"
	if said.Cause.Text != want || said.Jobs[0].Lost[0].Cause.Text != want || said.Plan.Steps[0].Why == r.Plan.Steps[0].Why {
		t.Errorf("in Chinese: %+v", said)
	}
	if said.Name != r.Name || said.Cause.Code != cause.Code {
		t.Errorf("more than text changed: %+v", said)
	}
	if diff := cmp.Diff(r, In(phrase.English, r)); diff != "" {
		t.Errorf("English changed: %s", diff)
	}
	page := In(phrase.Chinese, Page[map[string]*delivery.Cause]{Items: []map[string]*delivery.Cause{{"a": &cause, "b": nil}}})
	if got := page.Items[0]["a"].Text; got != want || page.Items[0]["b"] != nil || cause.Text == want {
		t.Errorf("in a map: %q", got)
	}
}
