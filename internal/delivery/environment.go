package delivery

import (
	"fmt"
	"path"
	"slices"
	"strconv"
)

// Environment is a place that apps are delivered to.
type Environment struct {
	Name string `json:"name"`
	// Branch is the branch whose pushes are built for this environment.
	Branch string `json:"branch,omitempty"`
	// Tags is a pattern of tags that are built for this environment, e.g. "v*". Its *
	// and ? match no slash.
	Tags string `json:"tags,omitempty"`
	// Promote takes what runs in another environment: a push to Branch is not built.
	Promote Promotion `json:"promote,omitzero"`
	// Requires is where a deploy has to have proved itself before it starts here.
	Requires Requirement `json:"requires,omitzero"`
	// Branches are patterns of further branches whose pushes are built here, such as
	// "dev+*"; "*" stands for any characters.
	Branches []string `json:"branches,omitempty"`
	// Automatic environments release every good run of theirs at once; the others
	// wait for a person.
	Automatic bool     `json:"automatic,omitempty"`
	Strategy  Strategy `json:"strategy,omitzero"`
	// Bake is how long the old version stays warm after a release took all traffic.
	Bake Duration `json:"bake,omitempty"`
	// Rank orders environments from dev (lowest) to prod, and sets the lane.
	Rank int `json:"rank,omitempty"`
	// Variables are given to every app here; an App's own win.
	Variables map[string]string `json:"variables,omitempty"`
	// Protected environments build with protected caches and secrets.
	Protected bool `json:"protected,omitempty"`
	// Cluster names the Cluster that its apps run in, and Namespace the part of it, which
	// no other Environment has; without a Cluster they run on the server's machine.
	Cluster   string `json:"cluster,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	// Drift is what happens when somebody else has changed an object there; empty is
	// DriftShow.
	Drift DriftPolicy      `json:"drift,omitempty"`
	Build EnvironmentBuild `json:"build,omitzero"`
}

// DriftPolicy is what to do about a change that is not ours. Where the traffic goes is
// always put right.
type DriftPolicy string

const (
	// DriftShow leaves it, and says so.
	DriftShow DriftPolicy = "show"
	// DriftHeal applies what was wished for again.
	DriftHeal DriftPolicy = "heal"
)

// EnvironmentBuild is what differs in the builds for an Environment, such as their
// nodes. It is laid over the Stack's, and an App's own goes before it.
type EnvironmentBuild struct {
	Resources    Resources         `json:"resources,omitzero"`
	Timeout      Duration          `json:"timeout,omitempty"`
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	Tolerations  []Toleration      `json:"tolerations,omitempty"`
}

// Promotion says which environment's artifacts are released here.
type Promotion struct {
	From string `json:"from,omitempty"`
}

// Builds tells whether a push is built for this environment.
func (e Environment) Builds(p Push) bool {
	switch {
	case e.Promote.From != "":
		return false
	case p.Tag != "":
		ok, err := path.Match(e.Tags, p.Tag)
		return ok && err == nil
	}
	return p.Branch != "" && (e.Branch == p.Branch ||
		slices.ContainsFunc(e.Branches, func(pattern string) bool { return MatchBranch(pattern, p.Branch) }))
}

// Strategy is how a Release reaches full traffic.
type Strategy struct {
	// Batches in ascending share. Empty means one step to 100 %.
	Batches []Batch `json:"batches,omitempty"`
	// Deadline limits how long one batch may take to become healthy; zero is 5 m.
	Deadline Duration `json:"deadline,omitempty"`
}

// Kind returns "canary" when a batch takes less than all traffic, else "full".
func (s Strategy) Kind() string {
	for _, b := range s.Batches {
		if b.Percent < 100 {
			return "canary"
		}
	}
	return "full"
}

// Check refuses a strategy that cannot be carried out.
func (s Strategy) Check() error {
	last := 0
	for i, b := range s.Batches {
		switch {
		case b.Percent < 1 || b.Percent > 100:
			return E(Invalid, fmt.Sprintf("batch %d: percent is %d, and must be 1 to 100", i+1, b.Percent))
		case b.Percent == 100 && b.Hold != (Hold{}):
			return E(Invalid, fmt.Sprintf("batch %d: nothing comes after 100 %%, so it cannot hold; set the environment's bake instead", i+1))
		case b.Percent <= last:
			return E(Invalid, fmt.Sprintf("batch %d: percent %d must be more than the batch before it (%d)", i+1, b.Percent, last))
		}
		last = b.Percent
	}
	return nil
}

// Steps returns the batches with the final 100 % made explicit.
func (s Strategy) Steps() []Batch {
	if n := len(s.Batches); n > 0 && s.Batches[n-1].Percent == 100 {
		return s.Batches
	}
	return append(append([]Batch(nil), s.Batches...), Batch{Percent: 100})
}

// Batch is one step of a canary.
type Batch struct {
	Percent int  `json:"percent"`
	Hold    Hold `json:"hold,omitzero"`
}

// Hold is what a batch waits for once it is healthy: nothing, a time, or a person.
type Hold struct {
	Manual bool
	For    Duration
}

func (h Hold) String() string {
	switch {
	case h.Manual:
		return "manual"
	case h.For == 0:
		return "none"
	}
	return h.For.String()
}

func (h Hold) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

func (h *Hold) UnmarshalText(text []byte) error {
	switch s := string(text); s {
	case "manual":
		*h = Hold{Manual: true}
	case "none", "":
		*h = Hold{}
	default:
		var d Duration
		if err := d.UnmarshalText(text); err != nil {
			return E(Invalid, "hold is "+strconv.Quote(clip(s, 40))+`: write manual, none, or a time like 30s or 10m`)
		}
		*h = Hold{For: d}
	}
	return nil
}
