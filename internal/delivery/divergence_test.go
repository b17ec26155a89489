package delivery_test

import (
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestDivergence(t *testing.T) {
	for _, c := range []struct {
		head           string
		ahead, outside int
		state          delivery.BranchState
		text           string
	}{
		{"b", 0, 0, delivery.BranchSame, "the head of the branch"},
		{"b", 1, 0, delivery.BranchAhead, "the branch is 1 commit ahead"},
		{"b", 0, 2, delivery.BranchApart, "the branch does not contain this commit: 2 commits outside of it"},
		{"b", 3, 1, delivery.BranchApart, "the branch does not contain this commit: 1 commit outside of it, and it is 3 commits ahead"},
		{"", 0, 0, delivery.BranchGone, "the branch does not exist"},
	} {
		d := delivery.Divergence{Branch: "release"}.Against(c.head, c.ahead, c.outside)
		if d.State != c.state || d.String() != c.text || d.Head != c.head {
			t.Errorf("%+v: %s, want %s", d, d, c.text)
		}
	}
	if d := (delivery.Divergence{}).Unknown("away"); d.State != delivery.BranchUnknown || d.String() != "not known: away" {
		t.Errorf("%+v: %s", d, d)
	}
}
