package delivery

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Admission is the one serialised place that decides which queued job may start.
type Admission struct {
	Version int64 `json:"version"`
	// Admitted counts the decisions made, so that each one is a change.
	Admitted int64 `json:"admitted"`
}

// AdmissionID is the id of the one Admission.
const AdmissionID = "jobs"

// AdmissionRef names the one Admission.
var AdmissionRef = Ref{KindAdmission, AdmissionID}

// Slot is a waiting or an active job as the admission sees it.
type Slot struct {
	Run   RunID     `json:"run"`
	Job   string    `json:"job"`
	Team  string    `json:"team"`
	Lane  int       `json:"lane"`
	Since time.Time `json:"since"`
}

// AdmissionFacts are the heads of the queue and what is running.
type AdmissionFacts struct {
	Capacity int
	Active   []Slot
	// Waiting holds, per lane and team, at least as many of the oldest queued
	// jobs as there are free places.
	Waiting []Slot
}

// Next admits waiting jobs while there is room: the highest lane first, within it
// the team with the fewest active jobs, within that the oldest.
func (a Admission) Next(now time.Time, f AdmissionFacts) []Action {
	active := make(map[string]int)
	for _, s := range f.Active {
		active[s.Team]++
	}
	waiting := slices.Clone(f.Waiting)
	var actions []Action
	for free := f.Capacity - len(f.Active); free > 0 && len(waiting) > 0; free-- {
		i := firstInLine(waiting, active)
		s := waiting[i]
		waiting = slices.Delete(waiting, i, i+1)
		active[s.Team]++
		actions = append(actions, Record{Ref{KindRun, string(s.Run)}, JobAdmitted{Job: s.Job, At: now}})
	}
	if n := len(actions); n > 0 {
		actions = append(actions, Record{AdmissionRef, JobsAdmitted{N: n}})
	}
	return actions
}

func firstInLine(waiting []Slot, active map[string]int) int {
	best := 0
	for i, s := range waiting {
		b := waiting[best]
		if cmp.Or(
			cmp.Compare(b.Lane, s.Lane), // the higher lane first
			cmp.Compare(active[s.Team], active[b.Team]),
			s.Since.Compare(b.Since),
			cmp.Compare(s.Run, b.Run),
		) < 0 {
			best = i
		}
	}
	return best
}

// JobsAdmitted counts a decision, so that two decisions never overlap.
type JobsAdmitted struct{ N int }

func (JobsAdmitted) Name() string { return "jobs.admitted" }

// Apply folds a fact into the admission.
func (a Admission) Apply(e Event) (Admission, error) {
	switch e := e.(type) {
	case JobsAdmitted:
		a.Admitted += int64(e.N)
		return a, nil
	}
	return a, E(Internal, fmt.Sprintf("the admission does not know the fact %T", e))
}
