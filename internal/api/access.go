package api

// AskCan asks whether somebody may do a command to an App in an Environment; either may
// be empty.
type AskCan struct {
	Command string
	App     string
	Env     string
	// As is somebody else, as user:NAME or service:NAME, and Groups theirs.
	As     string
	Groups []string
}
