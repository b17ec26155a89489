package runner

import (
	"bytes"
	"os"
	"strconv"
)

// proc is what /proc/PID/stat tells of a process; see proc_pid_stat(5).
type proc struct {
	pid, parent, group int
	state              byte
	rss                int64 // bytes
}

// processes lists all processes of the machine.
func processes() ([]proc, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	list := make([]proc, 0, len(names))
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it has gone
		}
		if p, ok := parseStat(stat); ok {
			list = append(list, p)
		}
	}
	return list, nil
}

func parseStat(stat []byte) (proc, bool) {
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')') // the name may hold anything
	if open < 1 || end < open {
		return proc{}, false
	}
	f := bytes.Fields(stat[end+1:])
	if len(f) < 22 {
		return proc{}, false
	}
	return proc{
		pid: number(stat[:open-1]), state: f[0][0], parent: number(f[1]), group: number(f[2]),
		rss: int64(number(f[21])) * int64(os.Getpagesize()),
	}, true
}

func number(b []byte) int {
	n, _ := strconv.Atoi(string(b)) // the kernel's own digits
	return n
}

// descendants picks the processes below root.
func descendants(list []proc, root int) []proc {
	parent := make(map[int]int, len(list))
	for _, p := range list {
		parent[p.pid] = p.parent
	}
	var below []proc
	for _, p := range list {
		at := p.parent
		for hops := 0; at != root && at > 1 && hops < len(list); hops++ {
			at = parent[at]
		}
		if at == root && p.pid != root {
			below = append(below, p)
		}
	}
	return below
}
