package local

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
)

// Preparation is the command that goes before the first instance of a version.
type Preparation struct {
	Version string `json:"version"`
	// Release names it: of one release the command is run once, whatever becomes of it.
	Release string `json:"release"`
	Run     string `json:"run"`
	LimitMS int64  `json:"limitMs"`
}

// Limit is how long the command may take.
func (p Preparation) Limit() time.Duration { return time.Duration(p.LimitMS) * time.Millisecond }

// Outcome is what became of a command.
type Outcome string

// The outcomes of a command, but for success.
const (
	Failed Outcome = "failed" // with an exit code, or by a signal
	Late   Outcome = "late"   // ended by us, its time being over
	Lost   Outcome = "lost"   // its supervisor ended while it ran
)

// Unprepared is why a version has no instance.
type Unprepared struct {
	Outcome Outcome `json:"outcome"`
	// Detail is the limit of one that was late, and else words for people.
	Detail string `json:"detail,omitempty"`
	Exit   *int   `json:"exit,omitempty"`
}

func preparation(d delivery.Desired) *Preparation {
	if d.Prepare == "" || d.Canary == nil || d.Canary.Config.Workload == nil || d.Stable != nil && d.Stable.ID == d.Canary.ID {
		return nil
	}
	p := d.Canary.Config.Workload.PreDeploy
	if p.Run == "" {
		return nil
	}
	return &Preparation{
		Version: string(d.Canary.ID), Release: string(d.Prepare), Run: p.Run,
		LimitMS: p.Timeout.Or(delivery.DefaultPreDeploy).Milliseconds(),
	}
}

func (u Unprepared) cause(log []string, roots diagnose.Roots) *delivery.Cause {
	var c delivery.Cause
	switch u.Outcome {
	case Late:
		c = delivery.Because("predeploy.deadline", delivery.Args{"limit": u.Detail})
		c.Evidence = log[max(0, len(log)-diagnose.MaxEvidence):]
	case Lost:
		c = delivery.Because("predeploy.lost", delivery.Args{"message": u.Detail})
	default:
		c = diagnose.Crash{Code: "predeploy.failed", Reason: u.Detail, Exited: true, Exit: u.Exit, Output: log, Roots: roots}.Cause()
	}
	return &c
}
