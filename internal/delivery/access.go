package delivery

// Command names one thing that an Actor may be allowed to do.
type Command string

const (
	CmdRead            Command = "read"
	CmdApply           Command = "catalog.apply"
	CmdRunStart        Command = "run.start"
	CmdRunCancel       Command = "run.cancel"
	CmdReleaseCreate   Command = "release.create"
	CmdReleaseCancel   Command = "release.cancel"
	CmdReleaseContinue Command = "release.continue"
	CmdReleaseFull     Command = "release.full"
	CmdReleasePause    Command = "release.pause"
	CmdReleaseResume   Command = "release.resume"
	CmdReleaseAbort    Command = "release.abort"
	CmdReleaseRollback Command = "release.rollback"
	CmdTargetPause     Command = "target.pause"
	CmdTargetResume    Command = "target.resume"
	CmdTargetRestart   Command = "target.restart"
	CmdTargetScale     Command = "target.scale"
	CmdReleaseApprove  Command = "release.approve"
	CmdReleaseReject   Command = "release.reject"
	// CmdEmergencyRequest offers a release that does not wait for a window, with
	// approvals of its own.
	CmdEmergencyRequest Command = "emergency.request"
	// CmdBreakGlass starts such a release with nobody's approval.
	CmdBreakGlass Command = "emergency.break-glass"
	// CmdReviewClose ends the review that an emergency leaves behind.
	CmdReviewClose  Command = "emergency.close-review"
	CmdCacheDrop    Command = "cache.drop"
	CmdAccessEdit   Command = "access.edit"
	CmdWindowEdit   Command = "window.edit"
	CmdApprovalEdit Command = "approval.edit"
	CmdUserEdit     Command = "user.edit"
	CmdTokenIssue   Command = "token.issue"
	CmdTokenRevoke  Command = "token.revoke"
	CmdSecretSet    Command = "secret.set"
	CmdSecretRotate Command = "secret.rotate"
	CmdAuditRead    Command = "audit.read"
	// CmdChannelTest sends a message to a channel.
	CmdChannelTest Command = "channel.test"
	// CmdLogIn is in the audit only: whoever knows a password may log in.
	CmdLogIn Command = "log-in"
)

// Commands lists every command, for tests and for documentation.
func Commands() []Command {
	return []Command{
		CmdRead, CmdApply, CmdRunStart, CmdRunCancel, CmdReleaseCreate, CmdReleaseCancel, CmdReleaseContinue,
		CmdReleaseFull, CmdReleasePause, CmdReleaseResume, CmdReleaseAbort, CmdReleaseRollback,
		CmdTargetPause, CmdTargetResume, CmdTargetRestart, CmdTargetScale, CmdCacheDrop,
		CmdAccessEdit,
		CmdSecretSet, CmdSecretRotate,
		CmdUserEdit, CmdTokenIssue, CmdTokenRevoke, CmdChannelTest,
		CmdReleaseApprove, CmdReleaseReject, CmdEmergencyRequest, CmdBreakGlass, CmdReviewClose,
	}
}

// Grants is what an Actor's log-in says of it.
type Grants struct {
	// Admin may do everything: the installation's first token has it.
	Admin bool `json:"admin"`
	// Groups are those that the actor is in.
	Groups []string `json:"groups,omitempty"`
	// Only narrows both, for a token that was made for less.
	Only *TokenScope `json:"only,omitempty"`
}
