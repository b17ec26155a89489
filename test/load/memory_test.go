//go:build bench

package load

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// machine says what a reader must know of the machine: on a busy one promises are
// missed for no fault of the server's.
func machine(t *testing.T) string {
	t.Helper()
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d CPUs, load average %s", runtime.NumCPU(), strings.Join(strings.Fields(string(load))[:3], " "))
}

// memory are samples of a process's resident memory, in MiB, one a second.
type memory []float64

type sampler struct {
	quit chan struct{}
	got  chan memory
}

// sample begins to take samples.
func sample(t *testing.T, pid int) *sampler {
	t.Helper()
	s := &sampler{quit: make(chan struct{}), got: make(chan memory)}
	go func() {
		var m memory
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-s.quit:
				s.got <- m
				return
			case <-tick.C:
				m = append(m, resident(pid))
			}
		}
	}()
	return s
}

func (s *sampler) stop() memory {
	close(s.quit)
	return <-s.got
}

// resident is a process's memory in MiB; 0 when it is gone.
func resident(pid int) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kib); n == 1 {
			return kib / 1024
		}
	}
	return 0
}

func (m memory) check(v *verdict) {
	if len(m) < 10 {
		v.say("too short to judge the memory")
		return
	}
	v.most("server's resident memory, most", slices.Max(m), memoryMost, "MiB", fmt.Sprintf("at first %.3g MiB, at last %.3g MiB", m[0], m[len(m)-1]))
	half := m[len(m)/2:]
	if len(half) < 30 {
		v.say("the memory's slope is not judged over less than a minute: %.3g MiB/min", half.slope())
		return
	}
	v.most("its slope over the second half", half.slope(), slopeMost, "MiB/min", fmt.Sprintf("%d samples", len(half)))
}

// slope is that of the straight line nearest to the samples, in MiB per minute.
func (m memory) slope() float64 {
	n := float64(len(m))
	var x, y, xx, xy float64
	for i, v := range m {
		x, y, xx, xy = x+float64(i), y+v, xx+float64(i)*float64(i), xy+float64(i)*v
	}
	return 60 * (n*xy - x*y) / (n*xx - x*x)
}
