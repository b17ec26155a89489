package delivery

import "time"

// Codes of what befalls attempts that are told apart by how often they are tried.
const (
	// AttemptMemory: a process was killed because the attempt used all its memory.
	AttemptMemory = "attempt.memory"
	// AttemptDisk: the attempt used more disk than it may.
	AttemptDisk = "attempt.disk"
	// AttemptPreempted: something more important took the attempt's place.
	AttemptPreempted = "attempt.preempted"
	// AttemptReclaimed: the node was drained, or taken back.
	AttemptReclaimed = "attempt.reclaimed"
	// AttemptTurnedAway: the node took no more when the attempt came.
	AttemptTurnedAway = "attempt.turned_away"
	// AttemptImage: the build's image cannot be had, and AttemptImageName: nor ever.
	AttemptImage     = "attempt.image"
	AttemptImageName = "attempt.image_name"
	AttemptNoImage   = "attempt.no_image"
	// AttemptVolume: a volume cannot be mounted.
	AttemptVolume = "attempt.volume"
	// AttemptRefused: the cluster takes no such pod.
	AttemptRefused = "attempt.refused"
	// AttemptUnschedulable: no node had room; AttemptQuota: nor had the namespace.
	AttemptUnschedulable = "attempt.unschedulable"
	AttemptQuota         = "attempt.quota"
	// AttemptUnseen: the cluster has told nothing yet; AttemptAway: it does not answer.
	AttemptUnseen = "attempt.unseen"
	AttemptAway   = "attempt.away"
)

// tries is how many attempts one trouble may cost a job, where that differs from what
// other troubles may: once more, with more memory, for an attempt that lacked some;
// none for what the next attempt would meet again, after an attempt has waited for
// its end in vain; and many for builds that stand back, as they are meant to.
var tries = map[string]int{
	AttemptMemory:        2,
	AttemptDisk:          1,
	AttemptImage:         2,
	AttemptImageName:     1,
	AttemptNoImage:       1,
	AttemptRefused:       1,
	AttemptVolume:        2,
	AttemptUnschedulable: 1,
	AttemptQuota:         1,
	AttemptPreempted:     10,
	AttemptReclaimed:     10,
	AttemptTurnedAway:    10,
}

// standsBack tells whether an attempt that was lost so was in nobody's way for long: it
// gave up its place, or never got one.
func standsBack(code string) bool {
	return code == AttemptPreempted || code == AttemptReclaimed || code == AttemptTurnedAway
}

// exhausted tells whether a job whose attempt is lost by cause gets no other one.
func (j Job) exhausted(cause Cause, l RunLimits) bool {
	same, others := 1, 0 // losses by the same trouble, and by what is no standing back
	for _, lost := range j.Lost {
		if lost.Cause.Code == cause.Code {
			same++
		}
		if !standsBack(lost.Cause.Code) {
			others++
		}
	}
	most, ok := tries[cause.Code]
	if ok && same >= most {
		return true
	}
	return !standsBack(cause.Code) && others+1 >= l.Attempts
}

// backoff is the pause before the attempt after j's.
func (j Job) backoff(l RunLimits) time.Duration {
	return l.Backoff << min(max(j.Attempt-1, 0), 10)
}

// MoreMemory tells whether an earlier attempt had too little.
func (j Job) MoreMemory() bool {
	for _, lost := range j.Lost {
		if lost.Cause.Code == AttemptMemory {
			return true
		}
	}
	return false
}
