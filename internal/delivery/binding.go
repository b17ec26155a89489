package delivery

import "slices"

// Binding gives a Role to people, groups and services within a scope.
type Binding struct {
	Name     string    `json:"name"`
	Role     Role      `json:"role"`
	Subjects []Subject `json:"subjects"`
	Scope    Scope     `json:"scope"`
}

// Scope says what a Binding is about: each list that is not empty must have one entry
// that fits. The zero Scope is nothing, so that a scope that was forgotten gives
// nothing.
type Scope struct {
	// Everything is the whole installation; nothing else is set then.
	Everything bool `json:"everything,omitempty"`
	// Environments are names.
	Environments []string `json:"environments,omitempty"`
	// Apps are names, in which "*" stands for any characters.
	Apps []string `json:"apps,omitempty"`
	// Teams are those of the Apps.
	Teams []string `json:"teams,omitempty"`
}

// Covers tells whether all of an object is in the scope: an App in one Environment only
// is not the App.
func (s Scope) Covers(on Object) bool {
	return s.Everything || !s.empty() && fits(s.Apps, on.App, MatchBranch) && fits(s.Environments, on.Env, sameName) && fits(s.Teams, on.Team, sameName)
}

// Touches tells whether some of an object may be in the scope: an App is touched by a
// scope that holds one of its Environments.
func (s Scope) Touches(on Object) bool {
	return s.Everything || !s.empty() && (on.Env == "" || fits(s.Environments, on.Env, sameName)) &&
		(on.App == "" || fits(s.Apps, on.App, MatchBranch)) && (on.App == "" && on.Team == "" || fits(s.Teams, on.Team, sameName))
}

func (s Scope) empty() bool {
	return len(s.Environments) == 0 && len(s.Apps) == 0 && len(s.Teams) == 0
}

func sameName(a, b string) bool { return a == b }

// fits tells whether a list is empty or has an entry for what is named.
func fits(list []string, name string, match func(entry, name string) bool) bool {
	return len(list) == 0 || name != "" && slices.ContainsFunc(list, func(entry string) bool { return match(entry, name) })
}
