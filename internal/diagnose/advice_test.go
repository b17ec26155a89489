package diagnose

import (
	"testing"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

func TestEveryRemedyIsSaid(t *testing.T) {
	for _, r := range remedies {
		if !phrase.Known(r.advice) {
			t.Errorf("%q leads to %q, which is no phrase", r.part, r.advice)
		}
	}
}
