package delivery

import (
	"fmt"
	"strconv"
	"strings"
)

// AttemptSpec is what an executor needs to start an attempt. The job itself is
// fetched by the runner, with the claim code, from the server.
type AttemptSpec struct {
	// Key names the attempt, its pod and its workspace.
	Key       string
	ClaimCode string
	ServerURL string
	// Image is a pod's build environment; a local process has the machine's.
	Image string
	// Caches are where the attempt's caches are kept; nil for a Plan without any.
	Caches *CachePlaces
	// Timeout limits the whole attempt; 0 is no limit.
	Timeout Duration
	// MoreMemory says that an earlier attempt had too little.
	MoreMemory bool
	// Pod is the build pod's template; nil is the executor's default.
	Pod *BuildPod
}

// AttemptPhase is what an executor sees of an attempt.
type AttemptPhase string

const (
	// AttemptPending is known but not running yet.
	AttemptPending AttemptPhase = "pending"
	AttemptAlive   AttemptPhase = "alive"
	// AttemptOver ran and is gone, whatever its end was.
	AttemptOver AttemptPhase = "over"
	// AttemptUnknown was never started here.
	AttemptUnknown AttemptPhase = "unknown"
)

// AttemptStatus is an executor's observation. Cause says why it is pending or over, or
// why it was told to end while it is alive, when the executor knows.
type AttemptStatus struct {
	Phase AttemptPhase
	Cause *Cause
}

// ParseAttemptKey splits "app-17-build-1" into its parts.
func ParseAttemptKey(key string) (app string, number int, job string, attempt int, err error) {
	parts := strings.Split(key, "-")
	if n := len(parts); n >= 4 {
		attempt, err = strconv.Atoi(parts[n-1])
		if err == nil {
			number, err = strconv.Atoi(parts[n-3])
		}
		app, job = strings.Join(parts[:n-3], "-"), parts[n-2]
		canonical := fmt.Sprintf("%s-%d-%s-%d", app, number, job, attempt) == key
		if err == nil && canonical && number > 0 && attempt > 0 && job != "" && CheckAppName(app) == nil {
			return app, number, job, attempt, nil
		}
	}
	return "", 0, "", 0, E(NotFound, strconv.Quote(clip(key, 80))+" is not the key of a job's attempt")
}
