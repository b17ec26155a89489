package delivery

// Cause is the one line that says why something waits or failed, with evidence
// and the next thing to do. Code and Args identify it in any language; Text is
// its English rendering, made where the Cause is found.
type Cause struct {
	Code string            `json:"code"`
	Text string            `json:"text"`
	Args map[string]string `json:"args,omitempty"`
	// Next is what the reader can do now, when that is known.
	Next string `json:"next,omitempty"`
	Step string `json:"step,omitempty"`
	// Exit is the exit code of the process that failed, when there was one.
	Exit *int `json:"exit,omitempty"`
	// Evidence are the first real error lines.
	Evidence []string `json:"evidence,omitempty"`
}

func (c *Cause) String() string {
	if c == nil {
		return ""
	}
	return c.Text
}
