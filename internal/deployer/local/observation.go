package local

// State is what the instances of one version are doing.
type State string

// The states of a version. Where replicas differ, the version is Healthy as soon
// as one of them takes requests, and else shows the most telling one.
const (
	Unpacking State = "unpacking"
	Starting  State = "starting"
	Healthy   State = "healthy"
	Unhealthy State = "unhealthy" // runs, but its health check fails: takes no requests
	Crashed   State = "crashed"   // exited by itself; started again unless GaveUp
	Draining  State = "draining"  // takes no new requests; ends when the last one is answered
	Stopped   State = "stopped"
)

// Observation is what is true of one Target now.
type Observation struct {
	Key        string `json:"key"`
	Generation int64  `json:"generation"` // of the wish that is being kept
	URL        string `json:"url"`        // of the proxy
	Port       int    `json:"port"`
	// Problem is one line on why the proxy cannot take requests, else empty.
	Problem  string          `json:"problem,omitempty"`
	Versions []VersionStatus `json:"versions"`
	// Draining: instances that are no longer wished for still run.
	Draining bool `json:"draining"`
	// Unserved counts requests answered 503 since no version was healthy.
	Unserved int64 `json:"unserved"`
}

// Version returns the status of one version.
func (o Observation) Version(id string) (VersionStatus, bool) {
	for _, v := range o.Versions {
		if v.ID == id {
			return v, true
		}
	}
	return VersionStatus{}, false
}

// VersionStatus is what is true of one version of a Target. A version that is no
// longer wished for stays visible, in the end as Stopped, until the next wish.
type VersionStatus struct {
	ID        string  `json:"id"`
	Wished    bool    `json:"wished"`
	Asked     int     `json:"asked"`     // weight in the wish
	Effective float64 `json:"effective"` // percent of new requests it gets now
	Ready     int     `json:"ready"`     // replicas of the wished configuration that take requests
	Replicas  int     `json:"replicas"`
	State     State   `json:"state"`
	// GaveUp: never became healthy and is not tried again before the next wish.
	GaveUp   bool     `json:"gaveUp,omitempty"`
	ExitCode *int     `json:"exitCode,omitempty"` // of the last exit, when known; -signal when killed by one
	Restarts int      `json:"restarts"`
	Since    int64    `json:"since"`            // UTC ms of the last change of State
	Reason   string   `json:"reason,omitempty"` // one line
	LogTail  []string `json:"logTail,omitempty"`
	PIDs     []int    `json:"pids,omitempty"`
	// Unprepared is set when the command before the release has not succeeded.
	Unprepared *Unprepared `json:"unprepared,omitempty"`

	// Counted by the proxy since the supervisor began. Failed are answers of 5xx
	// and broken connections as the caller saw them; Retried are attempts that
	// another instance then answered.
	Requests int64 `json:"requests"`
	Failed   int64 `json:"failed"`
	Retried  int64 `json:"retried"`
}

// Changes is the answer to Watch. Full says that Targets is everything there is,
// which happens on the first call and after a restart of the supervisor.
type Changes struct {
	Version int64         `json:"version"` // give it to the next Watch
	Full    bool          `json:"full,omitempty"`
	Targets []Observation `json:"targets"`
	Removed []string      `json:"removed,omitempty"`
}

// Info identifies a running supervisor.
type Info struct {
	PID      int `json:"pid"`
	Protocol int `json:"protocol"`
}
