package registry

import (
	"testing"
	"time"
)

// A collection of one process waits for the requests of another.
func TestGateOverProcesses(t *testing.T) {
	dir := t.TempDir()
	var both [2]*Registry
	for i := range both {
		g, err := Open(Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = g.Close() })
		both[i] = g
	}
	first, err := both[0].gate.enter()
	if err != nil {
		t.Fatal(err)
	}
	second, err := both[0].gate.enter()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- both[1].gate.alone(func() error { return nil }) }()
	first()
	select {
	case <-done:
		t.Fatal("it did not wait")
	case <-time.After(50 * time.Millisecond): // it may only fail to notice, never fail wrongly
	}
	second()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	leave, err := both[1].gate.enter()
	if err != nil {
		t.Fatal(err)
	}
	leave()
}
