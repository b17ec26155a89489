package delivery

import "fmt"

// Moved says how far a branch is beyond the commit of a release, which is pinned: it
// is shown, and never followed.
type Moved struct {
	Branch string `json:"branch"`
	// By is how many commits the branch has that the release does not.
	By    int    `json:"by"`
	Since string `json:"since"`
	Head  string `json:"head,omitempty"`
	// Unknown says why it cannot be told; By is then 0.
	Unknown string `json:"unknown,omitempty"`
}

func (m Moved) String() string {
	if m.Unknown != "" {
		return fmt.Sprintf("whether branch %s moved cannot be told: %s", m.Branch, m.Unknown)
	}
	return fmt.Sprintf("branch %s moved by %d since %s", m.Branch, m.By, Commit{SHA: m.Since}.Short())
}

// Presence says whether what runs of an App in an Environment contains a commit.
type Presence struct {
	App       string   `json:"app"`
	Env       string   `json:"env"`
	RunNumber int      `json:"run"`
	Commit    Commit   `json:"commit"`
	Contains  Contains `json:"contains"`
	// Why says why it is unknown.
	Why string `json:"why,omitempty"`
}

// Contains is an answer to whether a history has a commit.
type Contains string

const (
	ContainsYes     Contains = "yes"
	ContainsNo      Contains = "no"
	ContainsUnknown Contains = "unknown"
)
