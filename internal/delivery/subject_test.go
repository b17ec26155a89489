package delivery_test

import (
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestSubjects(t *testing.T) {
	ci := delivery.Actor{Kind: delivery.ActorService, Name: "ann"}
	for _, c := range []struct {
		text          string
		ann, ci, hook bool
	}{
		{"user:ann", true, false, false},
		{"user:bob", false, false, false},
		{"service:ann", false, true, false},
		{"group:leads", true, true, false},
		{"group:others", false, false, false},
		{"everyone", true, true, false},
	} {
		var s delivery.Subject
		if err := s.UnmarshalText([]byte(c.text)); err != nil {
			t.Fatal(err)
		}
		groups := []string{"leads"}
		got := [3]bool{s.Is(ann, groups), s.Is(ci, groups), s.Is(delivery.Actor{Kind: delivery.ActorHook, Name: "ann"}, groups)}
		if got != [3]bool{c.ann, c.ci, c.hook} || s.String() != c.text {
			t.Errorf("%s: %v", c.text, got)
		}
	}
	for _, text := range []string{"", "ann", "user:", "role:admin", "everyone:", "everyone:else"} {
		var s delivery.Subject
		if err := s.UnmarshalText([]byte(text)); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q is %v, %v", text, s, err)
		}
	}
}
