package delivery

import "fmt"

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
	CmdCacheDrop       Command = "cache.drop"
)

// Commands lists every command, for tests and for documentation.
func Commands() []Command {
	return []Command{
		CmdRead, CmdApply, CmdRunStart, CmdRunCancel, CmdReleaseCreate, CmdReleaseCancel, CmdReleaseContinue,
		CmdReleaseFull, CmdReleasePause, CmdReleaseResume, CmdReleaseAbort, CmdReleaseRollback,
		CmdTargetPause, CmdTargetResume, CmdTargetRestart, CmdTargetScale, CmdCacheDrop,
	}
}

// Grants is what an Actor was given. For now there is one grant: administrator.
type Grants struct {
	Admin bool `json:"admin"`
}

// Authorise answers whether the actor may do cmd to subject, and by which rule.
// Every command of every surface passes here.
func Authorise(a Actor, g Grants, cmd Command, subject string) (rule string, err error) {
	switch {
	case a.Kind == ActorSystem:
		return "system", nil
	case a.Kind == ActorHook && cmd == CmdRunStart:
		return "hook", nil
	case g.Admin:
		return "administrator", nil
	}
	return "", E(Denied, fmt.Sprintf("%s may not %s on %s: ask an administrator for a token that allows it", a, cmd, subject))
}
