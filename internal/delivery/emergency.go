package delivery

// Emergency says that a release takes the emergency lane: it waits for no window, and
// for approvals of its own. The release's Reason is never empty then.
type Emergency struct {
	// Incident is where what happened is written down, such as the link of a ticket.
	Incident string `json:"incident"`
	// BreakGlass tells that nobody could be reached who may approve it.
	BreakGlass bool `json:"breakGlass,omitempty"`
}
