package delivery

import "fmt"

// Divergence says how what runs of an App in an Environment stands to the head of that
// Environment's branch.
type Divergence struct {
	App       string      `json:"app"`
	Env       string      `json:"env"`
	RunNumber int         `json:"run"`
	Commit    Commit      `json:"commit"`
	Branch    string      `json:"branch"`
	State     BranchState `json:"state"`
	// Head is the newest commit of the branch; empty when it is gone or not known.
	Head string `json:"head,omitempty"`
	// Ahead is how many commits the branch has that do not run.
	Ahead int `json:"ahead"`
	// Outside is how many commits run that the branch does not have.
	Outside int `json:"outside"`
	// Why says why it is not known.
	Why string `json:"why,omitempty"`
}

// BranchState is how a branch stands to what runs.
type BranchState string

const (
	// BranchSame is where the head runs.
	BranchSame BranchState = "same"
	// BranchAhead has commits that do not run yet.
	BranchAhead BranchState = "ahead"
	// BranchApart does not contain the commit that runs.
	BranchApart BranchState = "apart"
	// BranchGone does not exist.
	BranchGone BranchState = "gone"
	// BranchUnknown could not be looked at.
	BranchUnknown BranchState = "unknown"
)

// Against judges what runs by the head of its branch, "" when there is none, and by how
// many commits each has that the other has not.
func (d Divergence) Against(head string, ahead, outside int) Divergence {
	d.Head, d.Ahead, d.Outside = head, ahead, outside
	switch {
	case head == "":
		d.State = BranchGone
	case outside > 0:
		d.State = BranchApart
	case ahead > 0:
		d.State = BranchAhead
	default:
		d.State = BranchSame
	}
	return d
}

// Unknown says that it could not be looked at.
func (d Divergence) Unknown(why string) Divergence {
	d.State, d.Why = BranchUnknown, why
	return d
}

func (d Divergence) String() string {
	switch d.State {
	case BranchSame:
		return "the head of the branch"
	case BranchGone:
		return "the branch does not exist"
	case BranchAhead:
		return "the branch is " + commits(d.Ahead) + " ahead"
	case BranchApart:
		text := "the branch does not contain this commit: " + commits(d.Outside) + " outside of it"
		if d.Ahead > 0 {
			text += ", and it is " + commits(d.Ahead) + " ahead"
		}
		return text
	}
	return "not known: " + d.Why
}

func commits(n int) string {
	if n == 1 {
		return "1 commit"
	}
	return fmt.Sprintf("%d commits", n)
}
