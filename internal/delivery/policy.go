package delivery

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Policy is all Bindings, made ready to decide.
type Policy struct {
	all       *rules
	bySubject map[Subject]*rules
}

// rule is one Binding with where its Role may do each command.
type rule struct {
	Binding
	reach map[Command]reach
}

// rules are those of one subject, by the Binding's name, and again by how the names of
// their Apps begin or end, so that a decision need not look at all of them.
type rules struct {
	list []*rule
	// byStart has the rules about Apps by what comes before the first "*" of a name.
	byStart map[string][]*rule
	// byEnd has those that begin with "*", by what comes after the last one.
	byEnd map[string][]*rule
	wide  []*rule // those that name no Apps
}

func (s *rules) add(r *rule) {
	s.list = append(s.list, r)
	if len(r.Scope.Apps) == 0 {
		s.wide = append(s.wide, r)
	}
	for _, app := range r.Scope.Apps {
		if start, _, _ := strings.Cut(app, "*"); start != "" {
			s.byStart[start] = append(s.byStart[start], r)
			continue
		}
		end := app[strings.LastIndex(app, "*")+1:]
		s.byEnd[end] = append(s.byEnd[end], r)
	}
}

// NewPolicy compiles Bindings.
func NewPolicy(bindings []Binding) *Policy {
	p := &Policy{all: newRules(), bySubject: map[Subject]*rules{}}
	reaches := reachesOfRoles()
	for _, b := range slices.SortedFunc(slices.Values(bindings), func(a, b Binding) int { return cmp.Compare(a.Name, b.Name) }) {
		r := &rule{b, reaches[b.Role]}
		p.all.add(r)
		for _, s := range b.Subjects {
			if p.bySubject[s] == nil {
				p.bySubject[s] = newRules()
			}
			p.bySubject[s].add(r)
		}
	}
	return p
}

func newRules() *rules { return &rules{byStart: map[string][]*rule{}, byEnd: map[string][]*rule{}} }

func reachesOfRoles() map[Role]map[Command]reach {
	all := map[Role]map[Command]reach{}
	for _, role := range AllRoles() {
		all[role] = map[Command]reach{}
		for _, line := range permissions() {
			for _, c := range line.commands {
				all[role][c] = line.of(role)
			}
		}
	}
	return all
}

// of iterates over the sets of rules about an actor.
func (p *Policy) of(a Actor, groups []string) iter.Seq[*rules] {
	return func(yield func(*rules) bool) {
		own := Subject{Kind: SubjectUser, Name: a.Name}
		switch a.Kind {
		case ActorUser:
		case ActorService:
			own.Kind = SubjectService
		default:
			return
		}
		if s := p.bySubject[own]; s != nil && !yield(s) {
			return
		}
		for _, g := range groups {
			if s := p.bySubject[Subject{Kind: SubjectGroup, Name: g}]; s != nil && !yield(s) {
				return
			}
		}
		if s := p.bySubject[Subject{Kind: SubjectEveryone}]; s != nil {
			yield(s)
		}
	}
}

// near iterates over those that may cover an object.
func (s *rules) near(on Object) iter.Seq[*rule] {
	return func(yield func(*rule) bool) {
		for _, r := range s.wide {
			if !yield(r) {
				return
			}
		}
		for end := range len(on.App) + 1 {
			for _, list := range [...][]*rule{s.byStart[on.App[:end]], s.byEnd[on.App[end:]]} {
				for _, r := range list {
					if !yield(r) {
						return
					}
				}
			}
		}
	}
}

// find returns a rule that allows a command, or nil.
func (s *rules) find(cmd Command, on Object) *rule {
	for r := range s.near(on) {
		if r.allows(cmd, on) {
			return r
		}
	}
	return nil
}

func (p *Policy) find(a Actor, groups []string, cmd Command, on Object) *rule {
	for s := range p.of(a, groups) {
		if r := s.find(cmd, on); r != nil {
			return r
		}
	}
	return nil
}

// Decide answers whether an actor may do a command to an object, and why. It is the one
// place where that is decided; every command of every surface passes here.
func (p *Policy) Decide(a Actor, g Grants, cmd Command, on Object) Decision {
	d := Decision{Actor: a, Command: cmd, Object: on}
	if err := g.Narrowed(cmd, on); err != nil {
		d.Why = err.Error()
		return d
	}
	switch {
	case a.Kind == ActorSystem, a.Kind == ActorHook && cmd == CmdRunStart:
		d.Allowed, d.Rule = true, string(a.Kind)
	case g.Admin && (a.Kind == ActorUser || a.Kind == ActorService):
		d.Allowed, d.Rule, d.Role = true, "administrator", RoleAdmin
	default:
		if r := p.find(a, g.Groups, cmd, on); r != nil {
			d.Allowed, d.Binding, d.Role, d.Rule = true, r.Name, r.Role, r.label()
		}
	}
	d.Why = p.why(d, g)
	return d
}

func (r *rule) allows(cmd Command, on Object) bool {
	return r.Scope.Covers(on) && r.reach[cmd].holds(on)
}

func (r *rule) label() string { return "RoleBinding/" + r.Name + ": " + string(r.Role) }

// Roles lists the roles that an actor has over the whole of an object.
func (p *Policy) Roles(a Actor, g Grants, on Object) []Role {
	has := map[Role]bool{RoleAdmin: g.Admin}
	for s := range p.of(a, g.Groups) {
		for r := range s.near(on) {
			has[r.Role] = has[r.Role] || r.Scope.Covers(on)
		}
	}
	return slices.DeleteFunc(AllRoles(), func(r Role) bool { return !has[r] })
}

// View is what one actor may do one command to, for lists: it is asked about each line.
type View struct {
	// Everything tells that nothing is left out.
	Everything bool
	command    Command
	sets       []*rules
	// wide tells that nothing would be left out but for only, the token's scope.
	wide bool
	only Grants
}

// View collects what an actor may do a command to.
func (p *Policy) View(a Actor, g Grants, cmd Command) View {
	v := View{command: cmd, only: Grants{Only: g.Only}}
	g.Only = nil
	v.wide = p.Decide(a, g, cmd, Object{Manual: true}).Allowed
	if v.Everything = v.wide && v.only.Only == nil; v.wide {
		return v
	}
	for s := range p.of(a, g.Groups) {
		v.sets = append(v.sets, s)
	}
	return v
}

// Has tells whether the whole object is in view.
func (v View) Has(on Object) bool {
	if v.only.Narrowed(v.command, on) != nil {
		return false
	}
	return v.wide || slices.ContainsFunc(v.sets, func(s *rules) bool { return s.find(v.command, on) != nil })
}

// Touches tells whether some of the object is in view, such as an App in one of its
// Environments.
func (v View) Touches(on Object) bool {
	if !v.only.touches(v.command, on) {
		return false
	}
	return v.wide || slices.ContainsFunc(v.sets, func(s *rules) bool {
		return slices.ContainsFunc(s.list, func(r *rule) bool { return r.reach[v.command] != nowhere && r.Scope.Touches(on) })
	})
}
