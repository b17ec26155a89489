package supervisor

import "time"

// startAttempts is how often a version that was never healthy is tried for one wish.
const startAttempts = 3

const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// restartPause returns the pause after the nth crash in a row, n ≥ 1.
func restartPause(n int) time.Duration {
	pause := firstPause
	for ; n > 1 && pause < lastPause; n-- {
		pause *= 2
	}
	return min(pause, lastPause)
}
