package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
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
	// The second field is the program's name in parentheses and may hold anything.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("read /proc/%d/stat: %d fields", pid, len(fields))
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

// clear waits until no process with such a marker is left, and kills those that
// are when ctx ends.
func clear(ctx context.Context, match func(marker string) bool) {
	for round := 1; ; round++ {
		left := marked(match)
		if len(left) == 0 {
			return
		}
		for _, pid := range left {
			_ = awaitExit(ctx, pid)
			if ctx.Err() != nil {
				kill(pid, match)
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
	clear(now, match)
}

// kill ends one process, if it is still the marked one: the pidfd pins it
// between the look and the signal.
func kill(pid int, match func(marker string) bool) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer func() { _ = unix.Close(fd) }()
	if m := markerOf(pid); m != "" && match(m) {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
}

// awaitExit returns when the process has exited, child of ours or not, or with
// the error of ctx. It waits in the runtime's poller: no thread, no polling.
func awaitExit(ctx context.Context, pid int) error {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open pidfd of %d: %w", pid, err)
	}
	file := os.NewFile(uintptr(fd), "pidfd")
	defer func() { _ = file.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	err = conn.Read(func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return err == nil && n > 0
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
