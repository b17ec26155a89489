package api

// Prefix is where the public API lives.
const Prefix = "/api/v1"

// Page is one page of a list, the newest first where it has an order in time.
// Next continues it, as the parameter "before"; it is empty at the end.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// Version says what answers.
type Version struct {
	Version string `json:"version"`
	// RunnerProtocol is the newest runner protocol that the server speaks.
	RunnerProtocol int `json:"runnerProtocol"`
}

// Who is the holder of the credentials of a request.
type Who struct {
	Name  string `json:"name"`
	Admin bool   `json:"admin"`
}
