package local

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"
)

// sweepLimit bounds how long killed processes may take to go.
const sweepLimit = 10 * time.Second

// sweep kills the processes of ended attempts: those marked with one of the
// workspaces, and those of a session, unless it is 0.
func sweep(workspaces map[string]bool, session int) error {
	for until := time.Now().Add(sweepLimit); ; {
		found, err := kill(workspaces, session)
		if err != nil || !found {
			return err
		}
		if time.Now().After(until) {
			return errors.New("killed processes do not end")
		}
		time.Sleep(2 * time.Millisecond) // they are gone in an instant
	}
}

// kill looks once, and reports whether there was anything.
func kill(workspaces map[string]bool, session int) (found bool, err error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return false, err
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() || !belongs(name, workspaces, session) {
			continue
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
			found = true
		}
	}
	return found, nil
}

func belongs(pid string, workspaces map[string]bool, session int) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	state, of := parseStat(stat)
	if state == 'Z' {
		return false
	}
	return session > 0 && of == session || workspaces[marker(pid)]
}

// parseStat reads a process's state and session; see proc_pid_stat(5).
func parseStat(stat []byte) (state byte, session int) {
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // the name may hold anything
	if len(f) < 4 {
		return 'Z', 0
	}
	session, _ = strconv.Atoi(string(f[3])) // the kernel's own digits
	return f[0][0], session
}

// marker is the workspace that a step's processes carry in their environment. It
// is unique where a key is not: another server on this machine may use it too.
func marker(pid string) string {
	environ, err := os.ReadFile("/proc/" + pid + "/environ")
	if err != nil {
		return "" // gone, or another user's
	}
	for entry := range bytes.SplitSeq(environ, []byte{0}) {
		if path, ok := bytes.CutPrefix(entry, []byte(envWorkspace+"=")); ok {
			return string(path)
		}
	}
	return ""
}
