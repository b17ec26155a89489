package supervisor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// markerEnv is set in every process of an instance and inherited by its children,
// also by those that leave its session: proof of whose process a pid is.
const markerEnv = "SHIPLOCK_INSTANCE"

// identity names a process for good: a pid alone may have been given to another.
type identity struct {
	PID     int    `json:"pid"`
	Started uint64 `json:"started"` // field 22 of /proc/PID/stat: clock ticks since boot
}

func identify(pid int) (identity, error) {
	_, started, err := readStat(pid)
	return identity{PID: pid, Started: started}, err
}

// alive reports whether the very process still runs; a zombie does not.
func (id identity) alive(marker string) bool {
	if id.PID <= 0 {
		return false
	}
	state, started, err := readStat(id.PID)
	return err == nil && state != 'Z' && started == id.Started && markerOf(id.PID) == marker
}

func readStat(pid int) (state byte, started uint64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	return parseStat(data)
}

func parseStat(data []byte) (state byte, started uint64, err error) {
	// The second field is the program's name in parentheses and may hold anything.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("a process's stat has %d fields", len(fields))
	}
	started, err = strconv.ParseUint(fields[19], 10, 64)
	return fields[0][0], started, err
}

// markerOf returns the marker of a process, or nothing when it has none, is a
// zombie, or belongs to somebody else.
func markerOf(pid int) string {
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return ""
	}
	for v := range bytes.SplitSeq(env, []byte{0}) {
		if value, ok := bytes.CutPrefix(v, []byte(markerEnv+"=")); ok {
			return string(value)
		}
	}
	return ""
}

// marked returns the processes whose marker satisfies match.
func marked(match func(marker string) bool) []int {
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		if err != nil {
			continue
		}
		if m := markerOf(pid); m != "" && match(m) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// awaitGone waits until no process with such a marker is left, and kills those that
// are when ctx ends.
func awaitGone(ctx context.Context, match func(marker string) bool) {
	for round := 1; ; round++ {
		left := marked(match)
		if len(left) == 0 {
			return
		}
		for _, pid := range left {
			_ = awaitExit(ctx, pid)
			if ctx.Err() != nil {
				sendTo(pid, syscall.SIGKILL, match)
			}
		}
		if ctx.Err() != nil {
			// What was killed takes a moment to go, and may have forked before it did.
			time.Sleep(time.Duration(min(round, 50)) * time.Millisecond)
		}
	}
}

// killAll ends every process with such a marker and returns when all are gone.
func killAll(match func(marker string) bool) {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	awaitGone(now, match)
}
