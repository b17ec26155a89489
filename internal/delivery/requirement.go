package delivery

import (
	"fmt"
	"time"
)

// Requirement is where a deploy has to have proved itself before it starts. The zero
// one is nowhere.
type Requirement struct {
	// Environment is where it runs first, such as pre.
	Environment string `json:"environment,omitempty"`
	// HealthyFor is how long it has to have been healthy there.
	HealthyFor Duration `json:"healthyFor,omitempty"`
	// Same says what has to run there; empty is SameDigest.
	Same Sameness `json:"same,omitempty"`
	// Gate is what the run that made it has to have shown; empty is nothing.
	Gate Gate `json:"gate,omitempty"`
}

// Sameness is what makes two versions the same.
type Sameness string

const (
	// SameDigest is the very artifact.
	SameDigest Sameness = "digest"
	// SameCommit is an artifact of that commit, or of a later one that contains it.
	SameCommit Sameness = "commit"
)

// RequirementFacts is how a Requirement stands for a release.
type RequirementFacts struct {
	Requirement
	// Runs tells that what is released runs there; Running is the run that does.
	Runs    bool
	Running int
	// HealthySince is when it was seen to become healthy there; zero is not now.
	HealthySince time.Time
	// Unknown says why it cannot be told.
	Unknown string
	// Made is what the run that made it has shown.
	Made GateFacts
}

// requirementCheck is how often what git has to say is asked for again.
const requirementCheck = 15 * time.Second

// requirementBlocker says why a release may not go on from its run, or from the other
// Environment, yet, and when to look again. An emergency does not wait for it.
func (r Release) requirementBlocker(now time.Time, f RequirementFacts) (*Cause, time.Time) {
	if r.Kind != ReleaseDeploy || r.Emergency != nil {
		return nil, time.Time{}
	}
	if c := r.gateBlocker(f); c != nil || f.Environment == "" {
		return c, time.Time{}
	}
	args := Args{"app": r.App, "env": f.Environment, "run": fmt.Sprint(r.Revision.RunNumber)}
	because := func(code string) *Cause {
		c := Because(code, args)
		return &c
	}
	proved := f.HealthySince.Add(f.HealthyFor.Std())
	switch {
	case f.Unknown != "":
		args["why"] = f.Unknown
		return because("required.unknown"), now.Add(requirementCheck)
	case !f.Runs && f.Running > 0:
		args["running"] = fmt.Sprint(f.Running)
		return because("required.absent"), time.Time{}
	case !f.Runs:
		return because("required.absent"), time.Time{}
	case f.HealthySince.IsZero():
		return because("required.sick"), time.Time{}
	case now.Before(proved):
		args["limit"], args["left"] = f.HealthyFor.String(), proved.Sub(now).Round(time.Second).String()
		return because("required.young"), proved
	}
	return nil, time.Time{}
}

// Proves fills in what a Target shows of a Requirement.
func (t Target) Proves(f RequirementFacts) RequirementFacts {
	running := t.Running()
	if running == nil {
		return f
	}
	f.Running = running.Revision.RunNumber
	if t.Settled() && t.Observed.Of(running.Revision.ID).Healthy() {
		f.HealthySince = running.At
		if t.Observed.At.After(f.HealthySince) {
			f.HealthySince = t.Observed.At
		}
	}
	return f
}
