package delivery

// CommitRange says how two commits stand to each other.
type CommitRange struct {
	From Commit `json:"from,omitzero"`
	To   Commit `json:"to,omitzero"`
	// Ahead is how many commits To has that From does not; Behind the other way round.
	Ahead  int `json:"ahead"`
	Behind int `json:"behind"`
	// Unknown says why they were not counted.
	Unknown string `json:"unknown,omitempty"`
}
