package delivery

// Role is what a Binding lets its subjects do.
type Role string

const (
	// RoleViewer reads.
	RoleViewer Role = "viewer"
	// RoleDeveloper also runs and releases where releases are automatic.
	RoleDeveloper Role = "developer"
	// RoleOwner also releases by hand, and keeps the App's document.
	RoleOwner Role = "owner"
	// RoleTechLead is an owner who also closes the reviews of emergencies.
	RoleTechLead Role = "techlead"
	// RoleReleaser only releases.
	RoleReleaser Role = "releaser"
	// RoleAdmin may do everything in its scope.
	RoleAdmin Role = "admin"
)

// AllRoles lists every role.
func AllRoles() []Role {
	return []Role{RoleViewer, RoleDeveloper, RoleOwner, RoleTechLead, RoleReleaser, RoleAdmin}
}

// reach is where a role may do a command, within the scope of its Binding.
type reach uint8

const (
	nowhere reach = iota
	// automatic is in Environments that release by themselves, as dev and test do.
	automatic
	// ofApps is wherever an App or a team is meant, and not the installation.
	ofApps
	anywhere
)

func (r reach) holds(on Object) bool {
	switch r {
	case automatic:
		return on.Env != "" && !on.Manual
	case ofApps:
		return on.App != "" || on.Team != ""
	}
	return r == anywhere
}

// permission says where each role may do some commands.
type permission struct {
	commands                                            []Command
	viewer, developer, owner, techlead, releaser, admin reach
}

// permissions is what roles mean, whole. What is in no line, only an administrator's
// token may do.
func permissions() []permission {
	const no, auto, apps, all = nowhere, automatic, ofApps, anywhere
	return []permission{
		//                                                      viewer developer owner techlead releaser admin
		{[]Command{CmdRead}, all, all, all, all, all, all},
		{[]Command{CmdRunStart, CmdRunCancel}, no, auto, all, all, no, all},
		{[]Command{CmdReleaseCreate, CmdReleaseCancel, CmdReleaseContinue, CmdReleaseFull, CmdReleasePause, CmdReleaseResume, CmdReleaseAbort, CmdReleaseRollback}, no, auto, all, all, all, all},
		{[]Command{CmdTargetPause, CmdTargetResume, CmdTargetRestart, CmdTargetScale}, no, auto, all, all, no, all},
		{[]Command{CmdReleaseApprove, CmdReleaseReject}, no, no, all, all, no, all},
		{[]Command{CmdEmergencyRequest}, no, all, all, all, all, all},
		{[]Command{CmdBreakGlass}, no, no, all, all, no, all},
		{[]Command{CmdReviewClose}, no, no, no, all, no, all},
		{[]Command{CmdApply, CmdSecretSet}, no, no, apps, apps, no, all},
		{[]Command{CmdAuditRead}, no, no, all, all, no, all},
		{[]Command{CmdCacheDrop, CmdChannelTest, CmdSecretRotate, CmdAccessEdit, CmdWindowEdit, CmdApprovalEdit, CmdUserEdit, CmdTokenIssue, CmdTokenRevoke}, no, no, no, no, no, all},
	}
}

func (p permission) of(r Role) reach {
	switch r {
	case RoleViewer:
		return p.viewer
	case RoleDeveloper:
		return p.developer
	case RoleOwner:
		return p.owner
	case RoleTechLead:
		return p.techlead
	case RoleReleaser:
		return p.releaser
	case RoleAdmin:
		return p.admin
	}
	return nowhere
}

// Commands lists what a role may do somewhere; an admin's are all there are.
func (r Role) Commands() []Command {
	var all []Command
	for _, p := range permissions() {
		if p.of(r) != nowhere {
			all = append(all, p.commands...)
		}
	}
	return all
}
