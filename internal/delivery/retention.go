package delivery

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Retention says what is kept of the past, and how long. There is one for the whole
// installation.
type Retention struct {
	// Runs is how many of the newest runs of an App in an Environment, and of the
	// newest releases of a Target, stay whatever their age; zero is 20.
	Runs int `json:"runs,omitempty"`
	// Age is how long everything stays; zero is 90 days. What is older goes with its
	// logs, images and packages, unless something needs it.
	Age Duration `json:"age,omitempty"`
	// Logs is how long the lines of a job's log stay; zero is 30 days.
	Logs Duration `json:"logs,omitempty"`
	// Audit is how long audit entries stay; zero is two years.
	Audit Duration `json:"audit,omitempty"`
	// Grace is how long bytes that nothing refers to are left alone after their last
	// use; zero is a day. Something under way may be about to refer to them.
	Grace Duration `json:"grace,omitempty"`
}

const day = 24 * time.Hour

// WithDefaults fills in what a policy leaves out.
func (p Retention) WithDefaults() Retention {
	return Retention{
		Runs:  cmp.Or(p.Runs, 20),
		Age:   Duration(p.Age.Or(90 * day)),
		Logs:  Duration(p.Logs.Or(30 * day)),
		Audit: Duration(p.Audit.Or(730 * day)),
		Grace: Duration(p.Grace.Or(day)),
	}
}

// Kinds of what a Verdict is about.
const (
	KeptRun      = "run"
	KeptRelease  = "release"
	KeptArtifact = "artifact"
)

// Verdict says whether one thing of the past may go, and why.
type Verdict struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Name is what people know it by.
	Name string `json:"name"`
	Go   bool   `json:"go"`
	Why  string `json:"why"`
	// Old says that it is older than the policy's age, whether it goes or not.
	Old bool `json:"old"`
}

// Past is what retention knows of one App.
type Past struct {
	App       string
	Runs      []PastRun
	Releases  []PastRelease
	Artifacts []PastArtifact
	Targets   []Target
	// Open are the releases that are not over, whole.
	Open []Release
}

// PastRun is a Run in short.
type PastRun struct {
	ID       RunID
	Number   int
	Env      string
	State    RunState
	Artifact Digest
	// Pushed says that a push asked for it.
	Pushed bool
}

// PastRelease is a Release in short.
type PastRelease struct {
	ID    ReleaseID
	Env   string
	State ReleaseState
	// UnderReview tells that somebody has to look at an emergency.
	UnderReview bool
}

// PastArtifact is an Artifact in short.
type PastArtifact struct {
	Digest    Digest
	CreatedAt time.Time
}

// Judge decides what of an App's past may go. What a Target runs, ran last in
// health or can go back to stays, and so do the releases that are not over with all
// that they name, and the newest runs. Its order is that of the facts: runs,
// releases, artifacts.
func (p Retention) Judge(now time.Time, past Past) []Verdict {
	p = p.WithDefaults()
	j := judge{Retention: p, before: now.Add(-p.Age.Std()), app: past.App, named: past.named(), made: map[Digest]int{}}
	list := make([]Verdict, 0, len(past.Runs)+len(past.Releases)+len(past.Artifacts))
	newer := map[string]tally{}
	for _, r := range slices.SortedFunc(slices.Values(past.Runs), func(a, b PastRun) int { return cmp.Compare(b.Number, a.Number) }) {
		stays := j.run(r, newer[r.Env])
		if stays != "" && r.Artifact != "" {
			j.made[r.Artifact] = max(j.made[r.Artifact], r.Number)
		}
		newer[r.Env] = newer[r.Env].count(r)
		list = append(list, j.verdict(Verdict{Kind: KeptRun, ID: string(r.ID), Name: fmt.Sprintf("%s#%d", past.App, r.Number), Old: j.old(string(r.ID))}, stays))
	}
	offered := map[string]int{}
	for _, r := range slices.SortedFunc(slices.Values(past.Releases), func(a, b PastRelease) int { return cmp.Compare(b.ID, a.ID) }) {
		v := Verdict{Kind: KeptRelease, ID: string(r.ID), Name: TargetKey(past.App, r.Env) + " " + string(r.ID), Old: j.old(string(r.ID))}
		list = append(list, j.verdict(v, j.release(r, offered[r.Env])))
		offered[r.Env]++
	}
	for _, a := range past.Artifacts {
		v := Verdict{Kind: KeptArtifact, ID: string(a.Digest), Name: past.App + "@" + a.Digest.Short(), Old: a.CreatedAt.Before(j.before)}
		list = append(list, j.verdict(v, j.artifact(a)))
	}
	return list
}

// tally is what was seen of an App's newer runs in one Environment.
type tally struct {
	runs              int
	succeeded, pushed bool
}

func (t tally) count(r PastRun) tally {
	t.runs++
	t.succeeded = t.succeeded || r.State == RunSucceeded && r.Artifact != ""
	t.pushed = t.pushed || r.Pushed
	return t
}

// judge is one judgement of one App. Its methods return why something stays, or "".
type judge struct {
	Retention
	before time.Time
	app    string
	named  named
	made   map[Digest]int // by a run that stays
}

func (j judge) verdict(v Verdict, stays string) Verdict {
	if v.Go, v.Why = stays == "", stays; v.Go {
		v.Why = "older than " + j.Age.String() + ", and nothing needs it"
	}
	return v
}

// old tells whether a run or a release was made before the policy's age.
func (j judge) old(id string) bool {
	at, known := timeOf(id)
	return known && at.Before(j.before)
}

func (j judge) run(r PastRun, newer tally) string {
	switch {
	case !r.State.Terminal():
		return "is not over"
	case j.named.runs[r.ID] != "":
		return j.named.runs[r.ID]
	case newer.runs < j.Runs:
		return fmt.Sprintf("one of the newest %d of %s in %s", j.Runs, j.app, r.Env)
	case r.State == RunSucceeded && r.Artifact != "" && !newer.succeeded:
		return "the newest that succeeded in " + r.Env
	case r.Pushed && !newer.pushed:
		return "the newest that a push asked for in " + r.Env
	case !j.old(string(r.ID)):
		return "younger than " + j.Age.String()
	}
	return ""
}

func (j judge) release(r PastRelease, newer int) string {
	switch {
	case !r.State.Terminal():
		return "is not over"
	case r.UnderReview:
		return "was an emergency, and nobody has reviewed it"
	case j.named.releases[r.ID] != "":
		return j.named.releases[r.ID]
	case newer < j.Runs:
		return fmt.Sprintf("one of the newest %d of %s", j.Runs, TargetKey(j.app, r.Env))
	case !j.old(string(r.ID)):
		return "younger than " + j.Age.String()
	}
	return ""
}

func (j judge) artifact(a PastArtifact) string {
	switch {
	case j.named.artifacts[a.Digest] != "":
		return j.named.artifacts[a.Digest]
	case j.made[a.Digest] != 0:
		return fmt.Sprintf("%s#%d made it, and stays", j.app, j.made[a.Digest])
	case !a.CreatedAt.Before(j.before):
		return "younger than " + j.Age.String()
	}
	return ""
}

// named is what Targets and open releases name, with the reason for people.
type named struct {
	runs      map[RunID]string
	releases  map[ReleaseID]string
	artifacts map[Digest]string
}

func (p Past) named() named {
	n := named{runs: map[RunID]string{}, releases: map[ReleaseID]string{}, artifacts: map[Digest]string{}}
	for _, t := range p.Targets {
		for _, d := range t.History {
			n.add(&d.Revision, t.Key()+" can go back to it")
			n.releases[d.Release] = t.Key() + " can go back to what it deployed"
		}
		n.releases[t.Active] = "changes " + t.Key()
		for _, r := range []*Revision{t.Desired.Stable, t.Desired.Canary} {
			n.add(r, "what "+t.Key()+" runs")
		}
	}
	for _, r := range p.Open {
		why := "the " + string(r.Kind) + " of " + TargetKey(r.App, r.Env) + ", which is " + string(r.State) + ", names it"
		n.add(&r.Revision, why)
		n.add(r.Base, why)
	}
	return n
}

func (n named) add(r *Revision, why string) {
	if r == nil {
		return
	}
	n.artifacts[r.Artifact] = why
	if r.Run != "" {
		n.runs[r.Run] = why
	}
}

// LogAge is the least age at which a log may go.
func (p Retention) LogAge() time.Duration {
	p = p.WithDefaults()
	return min(p.Logs, p.Age).Std()
}

// JudgeLog decides on the log of a run's attempt that was last written at a time: why
// its lines may go, or "". A nil run is gone.
func (p Retention) JudgeLog(now, written time.Time, run *PastRun) (why string) {
	p = p.WithDefaults()
	switch {
	case run == nil && written.Before(now.Add(-p.LogAge())):
		return "its run is gone"
	case run != nil && run.State.Terminal() && written.Before(now.Add(-p.Logs.Std())):
		return "older than " + p.Logs.String() + ", by the retention policy"
	}
	return ""
}
