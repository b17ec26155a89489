package server

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

type canInput struct {
	Command string   `query:"command" required:"true" maxLength:"64" doc:"such as release.create"`
	App     string   `query:"app" maxLength:"63"`
	Env     string   `query:"env" maxLength:"63"`
	As      string   `query:"as" maxLength:"200" doc:"somebody else, as user:NAME or service:NAME"`
	Groups  []string `query:"groups" maxItems:"100" doc:"the groups of somebody else; what is known of that user, when they are left out"`
}

// can says whether a command would be allowed, and by which binding. Who may read an
// object may ask for others too.
func (s *Server) can(ctx context.Context, in *canInput) (delivery.Decision, error) {
	cmd, on := delivery.Command(in.Command), delivery.On(in.App, in.Env)
	if !slices.Contains(delivery.RoleAdmin.Commands(), cmd) {
		return delivery.Decision{}, delivery.E(delivery.Invalid, fmt.Sprintf("there is no permission %q: write one of %s", in.Command, permissions()))
	}
	p := principal(ctx)
	if in.As == "" {
		if len(in.Groups) > 0 {
			return delivery.Decision{}, delivery.E(delivery.Invalid, "groups are somebody else's: say whose with as")
		}
		return s.cfg.Engine.Can(ctx, p, cmd, on)
	}
	if err := s.cfg.Engine.Allow(ctx, p, delivery.CmdRead, on); err != nil {
		return delivery.Decision{}, err
	}
	other, err := s.other(ctx, in.As, in.Groups)
	if err != nil {
		return delivery.Decision{}, err
	}
	return s.cfg.Engine.Can(ctx, other, cmd, on)
}

// other is somebody in groups, or with what a log-in would say where none are given and
// there is such a user.
func (s *Server) other(ctx context.Context, name string, groups []string) (engine.Principal, error) {
	p, err := somebody(name)
	if err != nil || len(groups) > 0 {
		p.Grants.Groups = groups
		return p, err
	}
	u, err := s.cfg.People.User(ctx, p.Actor.Name)
	switch {
	case err != nil && delivery.KindOf(err) == delivery.NotFound:
		return p, nil
	case err == nil && u.Kind == p.Actor.Kind:
		p.Grants = u.Grants()
	}
	return p, err
}

func permissions() string {
	var all []string
	for _, c := range delivery.RoleAdmin.Commands() {
		all = append(all, string(c))
	}
	return strings.Join(all, ", ")
}

// somebody is who a subject names.
func somebody(name string) (p engine.Principal, err error) {
	if !strings.Contains(name, ":") {
		name = "user:" + name
	}
	var who delivery.Subject
	if err := who.UnmarshalText([]byte(name)); err != nil {
		return p, err
	}
	switch who.Kind {
	case delivery.SubjectUser:
		p.Actor = delivery.Actor{Kind: delivery.ActorUser, Name: who.Name}
	case delivery.SubjectService:
		p.Actor = delivery.Actor{Kind: delivery.ActorService, Name: who.Name}
	default:
		return p, delivery.E(delivery.Invalid, fmt.Sprintf("%q is nobody who acts: write user:NAME or service:NAME", name))
	}
	return p, nil
}

// listRoleBindings shows the bindings about what the reader may see, and those that the
// reader has.
func (s *Server) listRoleBindings(ctx context.Context, _ *nothing) (api.Page[api.RoleBinding], error) {
	c, err := s.catalog.current(ctx)
	if err != nil {
		return api.Page[api.RoleBinding]{}, err
	}
	v, err := s.sight(ctx)
	p := principal(ctx)
	shown := slices.DeleteFunc(slices.Clone(c.bindings), func(b api.RoleBinding) bool {
		return !v.all() && !v.binding(b.Binding) &&
			!slices.ContainsFunc(b.Subjects, func(who delivery.Subject) bool { return who.Is(p.Actor, p.Grants.Groups) })
	})
	return api.Page[api.RoleBinding]{Items: orEmpty(shown)}, err
}

// binding tells whether a Binding is about an App that may be seen.
func (v sight) binding(b delivery.Binding) bool {
	for name, a := range v.set.Apps {
		if v.app(name) && b.Scope.Touches(delivery.Object{App: name, Team: a.Team}) {
			return true
		}
	}
	return false
}
