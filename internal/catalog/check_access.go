package catalog

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// maxBound bounds each list of a RoleBinding.
const maxBound = 500

var appPattern = pattern(`^[-a-z0-9*]{1,63}$`)

func checkRoleBinding(name string, b delivery.Binding, bad report) {
	if name != "" {
		bad.err("metadata.name", delivery.CheckLabel("a role binding", name))
	}
	var roles []string
	for _, r := range delivery.AllRoles() {
		roles = append(roles, string(r))
	}
	if b.Role == "" {
		bad("spec.role", "role is missing: write one of "+strings.Join(roles, ", "))
	}
	bad.oneOf("spec.role", string(b.Role), roles...)
	if len(b.Subjects) == 0 {
		bad("spec.subjects", "subjects is missing: write whom the role is for, as user:NAME, group:NAME, service:NAME or everyone")
	}
	bad.within("spec.subjects", len(b.Subjects), 0, maxBound)
	for i, s := range b.Subjects {
		if s.Kind == delivery.SubjectEveryone && b.Role == delivery.RoleAdmin {
			bad(fmt.Sprintf("spec.subjects[%d]", i), "everyone cannot be admin: name people, groups or services")
		}
	}
	bad.scope("spec.scope", b.Scope)
}

func (bad report) scope(path string, s delivery.Scope) {
	narrowed := len(s.Environments)+len(s.Apps)+len(s.Teams) > 0
	switch {
	case s.Everything && narrowed:
		bad(path+".everything", "everything leaves nothing to narrow: remove it, or the other fields of the scope")
	case !s.Everything && !narrowed:
		bad(path, "scope is missing: name environments, apps or teams, or write everything: true")
	}
	for i, e := range s.Environments {
		bad.err(fmt.Sprintf("%s.environments[%d]", path, i), delivery.CheckLabel("an environment", e))
	}
	for i, t := range s.Teams {
		bad.err(fmt.Sprintf("%s.teams[%d]", path, i), delivery.CheckLabel("a team", t))
	}
	for i, a := range s.Apps {
		if !appPattern(a) {
			bad(fmt.Sprintf("%s.apps[%d]", path, i), fmt.Sprintf("%q fits no app: write an app's name, in which * stands for any characters", clip(a)))
		}
	}
	for field, list := range map[string][]string{"environments": s.Environments, "apps": s.Apps, "teams": s.Teams} {
		bad.within(path+"."+field, len(list), 0, maxBound)
	}
}

// checkBindings refuses scopes of Environments that there are not. Apps and teams may
// come and go.
func (s *Set) checkBindings(bad func(kind, name string) report) {
	for _, name := range sorted(s.Bindings) {
		for i, e := range s.Bindings[name].Scope.Environments {
			if _, ok := s.Environments[e]; !ok {
				bad(KindRoleBinding, name)(fmt.Sprintf("spec.scope.environments[%d]", i), fmt.Sprintf("there is no Environment %q%s", clip(e), DidYouMean(e, keys(s.Environments))))
			}
		}
	}
}

// Place fills in what the catalog knows of an object: the team of its App, and whether
// its Environment is released to by hand, as all of them together and one that is not
// known are.
func (s *Set) Place(on delivery.Object) delivery.Object {
	if a, ok := s.Apps[on.App]; ok {
		on.Team = a.Team
	}
	on.Manual = !s.Environments[on.Env].Automatic
	return on
}

// ObjectOf is what changing a document is about: for an App, with the team that the
// document says.
func ObjectOf(d delivery.Document) delivery.Object {
	on := delivery.Object{Name: ref(d), Manual: true}
	switch d.Kind {
	case KindApp:
		on.App = d.Name
		var app struct{ Team string }
		if json.Unmarshal(d.Spec, &app) == nil { // what cannot be read is refused elsewhere
			on.Team = app.Team
		}
	case KindEnvironment:
		on.Env = d.Name
	}
	return on
}

// Permission is what changing a document of a kind takes.
func Permission(kind string) delivery.Command {
	switch kind {
	case KindRoleBinding:
		return delivery.CmdAccessEdit
	case "Window", "Calendar":
		return delivery.CmdWindowEdit
	case KindApprovalPolicy, KindDelegation:
		return delivery.CmdApprovalEdit
	}
	return delivery.CmdApply
}
