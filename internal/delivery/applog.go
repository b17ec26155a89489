package delivery

import "time"

// AppLine is one line that an instance of an App has printed.
type AppLine struct {
	// At is when, zero where that is not kept.
	At time.Time `json:"at,omitzero"`
	// Pod is the instance, and empty where instances share a log.
	Pod      string     `json:"pod,omitempty"`
	Revision RevisionID `json:"revision,omitempty"`
	Text     string     `json:"text"`
	// Note says that the line is ours and not the App's: why something is missing.
	Note bool `json:"note,omitempty"`
}

// AppLogQuery says which lines of an App are asked for.
type AppLogQuery struct {
	// Since leaves out what is older; zero leaves out nothing.
	Since time.Time
	// Lines are the last ones of each instance; 0 is all that is kept.
	Lines int
	// Previous asks for what was printed before the last restart instead.
	Previous bool
	// Follow goes on with what comes.
	Follow bool
}

// MaxAppLine is the longest text of an AppLine, in bytes; what is longer is cut.
const MaxAppLine = 16 << 10
