package delivery_test

import (
	"slices"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// What an attempt is lost by says how many more there are: those that stood back are not
// among the few.
func TestAttemptsLeft(t *testing.T) {
	times := func(n int, code string) []string { return slices.Repeat([]string{code}, n) }
	for name, c := range map[string]struct {
		before []string
		code   string
		last   bool
	}{
		"the third eviction":                 {times(2, "attempt.evicted"), "attempt.evicted", true},
		"the second one":                     {times(1, "attempt.evicted"), "attempt.evicted", false},
		"put out, and turned away meanwhile": {append(times(1, "attempt.evicted"), times(8, delivery.AttemptTurnedAway)...), delivery.AttemptTurnedAway, false},
		"turned away for good":               {times(9, delivery.AttemptTurnedAway), delivery.AttemptTurnedAway, true},
		"put out after it was turned away":   {times(5, delivery.AttemptTurnedAway), "attempt.evicted", false},
		"its own disk":                       {nil, delivery.AttemptDisk, true},
		"memory, once more":                  {nil, delivery.AttemptMemory, false},
		"memory, again":                      {times(1, delivery.AttemptMemory), delivery.AttemptMemory, true},
	} {
		j := delivery.Job{Name: "build", Attempt: len(c.before) + 1, State: delivery.JobRunning}
		for i, code := range c.before {
			j.Lost = append(j.Lost, delivery.LostAttempt{Attempt: i + 1, Cause: delivery.Cause{Code: code}})
		}
		lost := delivery.Run{}.Lost(j, time.Now(), delivery.DefaultRunLimits(), delivery.Cause{Code: c.code})
		if lost.Final != c.last {
			t.Errorf("%s: the last one is %v", name, lost.Final)
		}
	}
}
