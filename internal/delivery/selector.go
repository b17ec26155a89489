package delivery

import "slices"

// TierLabel is the App's label that says how much depends on it, such as "core".
const TierLabel = "tier"

// Selector chooses Apps in Environments. Each list that is not empty must have one
// entry that fits, so the zero Selector chooses everything.
type Selector struct {
	// Environments are names.
	Environments []string `json:"environments,omitempty"`
	// Apps are names, in which "*" stands for any characters.
	Apps []string `json:"apps,omitempty"`
	// Teams are those of the Apps.
	Teams []string `json:"teams,omitempty"`
	// Tiers are values of the Apps' label "tier".
	Tiers []string `json:"tiers,omitempty"`
}

// Matches tells whether the selector chooses an App in an Environment.
func (s Selector) Matches(a App, env string) bool {
	return holds(s.Environments, env) && holds(s.Teams, a.Team) && holds(s.Tiers, a.Labels[TierLabel]) &&
		(len(s.Apps) == 0 || slices.ContainsFunc(s.Apps, func(p string) bool { return MatchBranch(p, a.Name) }))
}

func holds(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
