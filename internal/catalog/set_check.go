package catalog

import (
	"fmt"
	"maps"
	"slices"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Check refuses a catalog whose documents do not fit together. The error is of
// kind Invalid and holds all Problems, by document and field.
func (s *Set) Check() error {
	var problems Problems
	of := func(kind, name string) report {
		return func(path, msg string) {
			problems = append(problems, Problem{File: kind + "/" + name, Field: path, Msg: msg})
		}
	}
	for _, e := range s.Ranked() {
		s.checkPromotion(e, of(KindEnvironment, e.Name))
		s.checkRequirement(e, of(KindEnvironment, e.Name))
	}
	s.checkClusters(of)
	s.checkBindings(of)
	s.checkWindows(of)
	s.checkChannels(of)
	s.checkApprovals(of)
	listeners := make(map[int]string)
	for _, name := range sorted(s.Apps) {
		bad := of(KindApp, name)
		s.checkReferences(s.Apps[name], bad)
		checkListeners(s.Apps[name], listeners, bad)
	}
	return problems.Err()
}

// checkPromotion follows an environment's sources: each must exist, and one must
// build.
func (s *Set) checkPromotion(e delivery.Environment, bad report) {
	from := e.Promote.From
	if from == "" {
		return
	}
	if _, ok := s.Environments[from]; !ok {
		bad("spec.promote.from", fmt.Sprintf("there is no Environment %q%s", clip(from), DidYouMean(from, keys(s.Environments))))
		return
	}
	seen := map[string]bool{}
	for source := e; source.Promote.From != ""; source = s.Environments[source.Promote.From] {
		if seen[source.Name] {
			bad("spec.promote.from", "the environments promote in a circle: one of them must build a branch or tags")
			return
		}
		seen[source.Name] = true
	}
}

// checkRequirement refuses to wait for what never comes.
func (s *Set) checkRequirement(e delivery.Environment, bad report) {
	switch from := e.Requires.Environment; {
	case from == "":
	case from == e.Name:
		bad("spec.requires.environment", "an environment cannot require itself: name one that comes before it")
	default:
		if _, ok := s.Environments[from]; !ok {
			bad("spec.requires.environment", fmt.Sprintf("there is no Environment %q%s", clip(from), DidYouMean(from, keys(s.Environments))))
		}
	}
}

func (s *Set) checkReferences(a delivery.App, bad report) {
	if _, ok := s.Stacks[a.Stack]; !ok && !a.Open() {
		bad("spec.stack", fmt.Sprintf("there is no Stack %q%s", clip(a.Stack), DidYouMean(a.Stack, keys(s.Stacks))))
	}
	s.checkVariantsOf(a, bad)
	for env := range a.Environments {
		if _, ok := s.Environments[env]; !ok {
			bad("spec.environments."+env, fmt.Sprintf("there is no Environment %q%s", clip(env), DidYouMean(env, keys(s.Environments))))
		}
	}
}

// checkListeners finds two proxies that are to listen on the same port of the
// machine.
func checkListeners(a delivery.App, taken map[int]string, bad report) {
	for _, env := range sorted(a.Environments) {
		port := a.Environments[env].Listen
		if port == 0 {
			continue
		}
		target := delivery.TargetKey(a.Name, env)
		if other, ok := taken[port]; ok {
			bad("spec.environments."+env+".listen", fmt.Sprintf("port %d already belongs to %s: choose another, or leave listen out", port, other))
			continue
		}
		taken[port] = target
	}
}

func keys[T any](m map[string]T) []string { return slices.Collect(maps.Keys(m)) }

func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
