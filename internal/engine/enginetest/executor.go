package enginetest

import (
	"context"
	"fmt"
	"slices"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Executor starts attempts that nobody runs: a test claims them and reports as
// their runner. The zero value is ready. Calls: start, observe and stop, with the
// attempt's key.
type Executor struct {
	Script
	// Started is sent every attempt's first start, when it is set.
	Started  chan delivery.AttemptSpec
	attempts map[string]*attempt
	order    []string
}

type attempt struct {
	spec   delivery.AttemptSpec
	status delivery.AttemptStatus
}

// Start implements engine.Executor.
func (e *Executor) Start(_ context.Context, a delivery.AttemptSpec) (status delivery.AttemptStatus, err error) {
	fresh := false
	err = e.do("start "+a.Key, func() error {
		if e.attempts == nil {
			e.attempts = map[string]*attempt{}
		}
		known := e.attempts[a.Key]
		if known == nil {
			known = &attempt{a, delivery.AttemptStatus{Phase: delivery.AttemptAlive}}
			e.attempts[a.Key], fresh = known, true
			e.order = append(e.order, a.Key)
		} else if known.spec.ClaimCode != a.ClaimCode {
			return fmt.Errorf("%s was started with another claim code", a.Key)
		}
		status = known.status
		return nil
	})
	if fresh && e.Started != nil {
		e.Started <- a
	}
	return status, err
}

// Observe implements engine.Executor.
func (e *Executor) Observe(_ context.Context, key string) (status delivery.AttemptStatus, err error) {
	err = e.do("observe "+key, func() error {
		status = delivery.AttemptStatus{Phase: delivery.AttemptUnknown}
		if a := e.attempts[key]; a != nil {
			status = a.status
		}
		return nil
	})
	return status, err
}

// Stop implements engine.Executor.
func (e *Executor) Stop(_ context.Context, key string) error {
	return e.do("stop "+key, func() error {
		e.end(key, nil)
		return nil
	})
}

// Die ends an attempt from outside.
func (e *Executor) Die(key string, cause *delivery.Cause) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.end(key, cause)
}

func (e *Executor) end(key string, cause *delivery.Cause) {
	if a := e.attempts[key]; a != nil && a.status.Phase == delivery.AttemptAlive {
		a.status = delivery.AttemptStatus{Phase: delivery.AttemptOver, Cause: cause}
	}
}

// Attempts lists the attempts that were ever started, each once, in order.
func (e *Executor) Attempts() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.order)
}

// Alive lists the attempts that were started and are not over, in order.
func (e *Executor) Alive() []delivery.AttemptSpec {
	e.mu.Lock()
	defer e.mu.Unlock()
	var alive []delivery.AttemptSpec
	for _, key := range e.order {
		if a := e.attempts[key]; a.status.Phase == delivery.AttemptAlive {
			alive = append(alive, a.spec)
		}
	}
	return alive
}
