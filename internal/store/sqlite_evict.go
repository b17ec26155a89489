package store

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shiplock/shiplock/internal/delivery"
)

// evictLimit bounds the wait for a killed process to be gone.
const evictLimit = 5 * time.Second

// evict ends the process that holds the lock, and takes the lock over. A server
// that sleeps (SIGSTOP, a frozen container) past its lease may write nothing any
// more, and in the middle of a write it would keep everybody else from writing.
// Unavailable when the process cannot be told or ended from here.
func (l *fileLock) evict() error {
	holder, err := os.ReadFile(l.file.Name())
	if err != nil {
		return fmt.Errorf("read who holds the database: %w", err)
	}
	var pid int
	var started string
	if _, err := fmt.Sscan(string(holder), &pid, &started); err != nil || startTime(pid) != started || pid == os.Getpid() {
		return delivery.E(delivery.Unavailable, "the database is locked by a program that cannot be told: end it, and start the server again")
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil && err != unix.ESRCH {
		return delivery.Wrap(delivery.Unavailable, fmt.Sprintf("the stopped server with process id %d holds the database: end it, and start the server again", pid), err)
	}
	for end := time.Now().Add(evictLimit); !l.tryLock(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			return delivery.E(delivery.Unavailable, fmt.Sprintf("the killed server with process id %d is not gone yet: start again in a moment", pid))
		}
	}
	return nil
}

// sign writes down who holds the lock.
func (l *fileLock) sign() {
	text := fmt.Sprintf("%d %s\n", os.Getpid(), startTime(os.Getpid()))
	if l.file.Truncate(0) == nil {
		_, _ = l.file.WriteAt([]byte(text), 0) // only evict reads it, and it doubts it
	}
}

// startTime returns when a process started, in the kernel's ticks; empty when there
// is none. With the process id it names one process for good.
func startTime(pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	return parseStartTime(stat)
}

func parseStartTime(stat []byte) string {
	// The name in parentheses may hold anything; what we want is field 22.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return ""
	}
	return string(fields[19])
}
