package delivery

// Level is how well something is.
type Level string

// LevelWarn works and will not for ever, or not for everybody; LevelBad does not work.
const (
	LevelOK   Level = "ok"
	LevelWarn Level = "warn"
	LevelBad  Level = "bad"
)

// Finding is one thing that a check of an installation has found.
type Finding struct {
	Level Level `json:"level" enum:"ok,warn,bad"`
	// Area is what was looked at, such as "database", "builds" or "cluster east".
	Area string `json:"area"`
	// Found says how it is, and its Next what to mend.
	Found Cause `json:"found"`
}
