package delivery

import "time"

// Target is one App in one Environment: what should run there, what does, and
// which release may change it. It is the only thing that calls a deployer.
type Target struct {
	App string `json:"app"`
	Env string `json:"env"`
	// Desired is the wish. Its Generation only ever grows.
	Desired Desired `json:"desired"`
	// Applied is the highest generation that the deployer accepted.
	Applied  int64    `json:"applied"`
	Observed Observed `json:"observed"`
	// Told counts how often a deployer that is behind was told the same again, and
	// ToldAt is when last.
	Told   int       `json:"told,omitempty"`
	ToldAt time.Time `json:"toldAt,omitzero"`
	// Active is the one release that may change Desired.
	Active ReleaseID `json:"active,omitempty"`
	// History holds what was deployed and healthy, newest last; at most 20.
	History []Deployed `json:"history,omitempty"`
	// BakeUntil is when the old version, kept warm after a release, is let go.
	BakeUntil time.Time     `json:"bakeUntil,omitzero"`
	Paused    *Cancellation `json:"paused,omitempty"`
	Version   int64         `json:"version"`
}

// Desired is the wish for a Target. Every intermediate value of a release comes
// from the pure machine: canary, full, abort and rollback are all this type.
type Desired struct {
	// Generation fences: a deployer refuses a lower one than it has seen.
	Generation int64     `json:"generation"`
	Stable     *Revision `json:"stable,omitempty"`
	Canary     *Revision `json:"canary,omitempty"`
	// Share is the canary's part of the traffic, in percent.
	Share int `json:"share"`
	// Warm keeps the stable version as it is beside the canary, so that going back is a
	// switch of traffic. Without it a deployer may replace one by the other in place.
	Warm bool `json:"warm,omitempty"`
	// Prepare names the release whose command has to succeed before the canary has its
	// first instance; empty is none. A deployer runs it once.
	Prepare     ReleaseID `json:"prepare,omitempty"`
	RestartedAt time.Time `json:"restartedAt,omitzero"`
	// Replicas is how many instances a person has asked for, in place of what the
	// Revisions say; 0 is what they say. It goes when a deploy brings another number from
	// the catalog than the one before.
	Replicas int `json:"replicas,omitempty"`
	// Retry counts how often the same was wished anew for a version that a
	// deployer had given up.
	Retry int `json:"retry,omitempty"`
}

// Scaled returns the wish with what a person has asked for written into its Revisions,
// which stay what they are otherwise. One with an autoscaler is left to that.
func (d Desired) Scaled() Desired {
	d.Stable, d.Canary = scaled(d.Stable, d.Replicas), scaled(d.Canary, d.Replicas)
	return d
}

func scaled(r *Revision, replicas int) *Revision {
	if r == nil || replicas == 0 || r.Autoscaled() {
		return r
	}
	other := *r
	other.Config.Replicas = replicas
	return &other
}

// Deployed is one entry of a Target's history.
type Deployed struct {
	Revision Revision  `json:"revision"`
	Release  ReleaseID `json:"release"`
	At       time.Time `json:"at"`
	// RolledBack says that somebody went back from it, so a later rollback does
	// not return to it.
	RolledBack bool `json:"rolledBack,omitempty"`
}

// Observed is what a deployer sees of a Target.
type Observed struct {
	// Generation is the wish that this observation is about; 0 means that the
	// deployer knows nothing of the Target.
	Generation int64             `json:"generation"`
	Versions   []ObservedVersion `json:"versions,omitempty"`
	// Behind says that the world is not yet, or no more, as the deployer would make it
	// for the wish: it has to be told again.
	Behind bool `json:"behind,omitempty"`
	// Drift is what somebody else has changed, and is left so.
	Drift []Drift `json:"drift,omitempty"`
	// URL is where the Target answers, when that is known.
	URL string `json:"url,omitempty"`
	// At is when this was first seen; seeing the same again does not move it.
	At time.Time `json:"at,omitzero"`
}

// ObservedVersion is one revision as it runs.
type ObservedVersion struct {
	Revision RevisionID `json:"revision"`
	// Asked and Effective are shares of the traffic, in percent.
	Asked     int `json:"asked"`
	Effective int `json:"effective"`
	Ready     int `json:"ready"`
	Total     int `json:"total"`
	// Failed says that the deployer judges it will not become healthy.
	Failed bool   `json:"failed,omitempty"`
	Cause  *Cause `json:"cause,omitempty"`
}

// Drift is one field of the world that is not as it was applied.
type Drift struct {
	// Object is KIND/NAME, Field its path.
	Object string `json:"object"`
	Field  string `json:"field"`
	Want   string `json:"want"`
	Have   string `json:"have"`
	// By is who changed it, if that is known.
	By string `json:"by,omitempty"`
}

// Ref returns the Target's reference.
func (t Target) Ref() Ref { return Ref{KindTarget, t.Key()} }

// Key is "app/env".
func (t Target) Key() string { return TargetKey(t.App, t.Env) }

// Running returns the revision that a rollback returns to when a release is
// under way, and which serves when none is; nil before the first one.
func (t Target) Running() *Deployed {
	if n := len(t.History); n > 0 {
		return &t.History[n-1]
	}
	return nil
}

// Previous returns the revision that a rollback goes to: the newest healthy one
// that differs from the running one and was not itself rolled back.
func (t Target) Previous() *Deployed {
	current := t.Running()
	if current == nil {
		return nil
	}
	for i := len(t.History) - 2; i >= 0; i-- {
		if d := &t.History[i]; d.Revision.ID != current.Revision.ID && !d.RolledBack {
			return d
		}
	}
	return nil
}

// Of returns what is observed of a revision, or nil.
func (o Observed) Of(id RevisionID) *ObservedVersion {
	for i := range o.Versions {
		if o.Versions[i].Revision == id {
			return &o.Versions[i]
		}
	}
	return nil
}

// Healthy tells whether every instance of a revision is ready.
func (v *ObservedVersion) Healthy() bool { return v != nil && v.Total > 0 && v.Ready == v.Total }
