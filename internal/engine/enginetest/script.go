// Package enginetest holds stand-ins for the world outside of the engine: an
// executor, a deployer, a forge, a registry and a log store that only remember.
// Each keeps the calls that it got, and fails those that a test chooses.
package enginetest

import (
	"slices"
	"strings"
	"sync"
)

// Rule decides on a call before it takes effect. An error fails it; with done, it
// takes effect all the same, and only its answer is lost.
type Rule func(call string) (err error, done bool)

// Script remembers calls, and fails those that its rule says. A call is a verb and
// what it is about: "start shop-1-build-1".
type Script struct {
	mu    sync.Mutex
	rule  Rule
	calls []string
}

// Follow sets the rule; nil lets every call succeed.
func (s *Script) Follow(r Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rule = r
}

// Refuse fails every call of a verb with err; nil ends that.
func (s *Script) Refuse(verb string, err error) {
	s.Follow(func(call string) (error, bool) {
		if strings.HasPrefix(call, verb+" ") {
			return err, false
		}
		return nil, false
	})
}

// Calls lists the calls so far that begin with prefix.
func (s *Script) Calls(prefix string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.calls), func(c string) bool { return !strings.HasPrefix(c, prefix) })
}

// do notes a call and has it take effect unless the rule is against it.
func (s *Script) do(call string, effect func() error) error {
	s.mu.Lock()
	s.calls = append(s.calls, call)
	rule := s.rule
	s.mu.Unlock()
	var fault error
	if rule != nil {
		var done bool
		if fault, done = rule(call); fault != nil && !done {
			return fault
		}
	}
	s.mu.Lock()
	err := effect()
	s.mu.Unlock()
	if fault != nil {
		return fault
	}
	return err
}
