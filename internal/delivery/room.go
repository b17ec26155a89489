package delivery

// Room is where builds run, what they may use there and what they use.
type Room struct {
	// Executor is "local" or "kubernetes".
	Executor string `json:"executor" enum:"local,kubernetes"`
	// Cluster is its API server's address.
	Cluster       string `json:"cluster,omitempty"`
	Namespace     string `json:"namespace,omitempty"`
	PriorityClass string `json:"priorityClass,omitempty"`
	// Away is why nothing is known of now; the rest is then what was known last.
	Away *Cause `json:"away,omitempty"`
	// Quotas bound all builds together, line by line.
	Quotas []QuotaLine `json:"quotas,omitempty"`
	// Running builds have a process or a container that runs, Pending ones a pod that
	// waits.
	Running RoomUse `json:"running"`
	Pending RoomUse `json:"pending"`
}

// RoomUse is some builds, and the sum of what they ask for, as Kubernetes writes amounts.
type RoomUse struct {
	Builds   int               `json:"builds"`
	Requests map[string]string `json:"requests,omitempty"`
}

// QuotaLine is what a quota allows of one resource, and what is used of it.
type QuotaLine struct {
	Quota    string `json:"quota"`
	Resource string `json:"resource"`
	Used     string `json:"used"`
	Hard     string `json:"hard"`
}

// LaneUse is how many jobs of a lane have a place, and how many wait for one.
type LaneUse struct {
	Lane    int `json:"lane"`
	Taken   int `json:"taken"`
	Waiting int `json:"waiting"`
}
