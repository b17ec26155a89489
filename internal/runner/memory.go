package runner

import (
	"os"
	"strconv"
	"strings"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// memory is a container's, as the kernel accounts for it in its control group; see
// cgroups(7).
type memory struct {
	// limit is in bytes; 0 when there is none, as outside of a container.
	limit int64
	// kills counts the processes that were killed for want of it.
	kills int64
	// peak is the most that was used, in bytes, file pages among it; 0 when the kernel
	// does not say.
	peak int64
}

// cgroupDirs are where version 2 and version 1 of control groups are mounted.
var cgroupDirs = []struct{ dir, limit, events, peak string }{
	{"/sys/fs/cgroup", "memory.max", "memory.events", "memory.peak"},
	{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.oom_control", "memory.max_usage_in_bytes"},
}

// noLimit is more than any limit: version 1 says "none" by a number near to 2^63.
const noLimit = 1 << 60

func readMemory() memory {
	for _, at := range cgroupDirs {
		limit, err := os.ReadFile(at.dir + "/" + at.limit)
		if err != nil {
			continue
		}
		m := memory{limit: number64(limit)}
		if m.limit >= noLimit {
			m.limit = 0
		}
		events, _ := os.ReadFile(at.dir + "/" + at.events) // without it nothing is known of kills
		for line := range strings.Lines(string(events)) {
			if f := strings.Fields(line); len(f) == 2 && f[0] == "oom_kill" {
				m.kills = number64([]byte(f[1]))
			}
		}
		peak, _ := os.ReadFile(at.dir + "/" + at.peak)
		m.peak = number64(peak)
		return m
	}
	return memory{}
}

func number64(text []byte) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // "max" is none
	return n
}

// binary writes bytes as documents do: a limit is found again.
func binary(n int64) string { return strconv.FormatInt((n+1<<19)>>20, 10) + "Mi" }

// starved turns the failure of a step into a loss of ours if a process was killed
// meanwhile for want of memory: the attempt is tried again with more.
func starved(step string, r result, before, after memory) result {
	if r.outcome != api.OutcomeFailed || after.limit == 0 || after.kills <= before.kills {
		return r
	}
	args := delivery.Args{"limit": binary(after.limit), "step": step}
	if r.usage.PeakMemory > 0 {
		args["peak"] = binary(r.usage.PeakMemory)
	}
	c := delivery.Because(delivery.AttemptMemory, args)
	c.Step = step
	if r.cause != nil {
		c.Exit, c.Evidence = r.cause.Exit, append([]string{r.cause.Text}, r.cause.Evidence...)
	}
	r.outcome, r.cause = api.OutcomeLost, &c
	return r
}
