package server

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// People reads who may sign in, and with what.
type People interface {
	Users(ctx context.Context) ([]delivery.User, error)
	// User finds one by name, or NotFound.
	User(ctx context.Context, name string) (delivery.User, error)
	// Tokens lists the tokens and sessions of a user, or all for "", the newest first.
	Tokens(ctx context.Context, owner string) ([]delivery.Token, error)
}

// logInInput is a log-in of the command line.
type logInInput struct{ Body api.LogIn }

// loginAPI takes a password and answers a token. It authenticates by itself.
func (s *Server) loginAPI(ctx context.Context, in *logInInput) (api.LoggedIn, error) {
	var out api.LoggedIn
	r := request(ctx)
	err := s.attempt(r, in.Body.User, func(ctx context.Context, from string) error {
		u, err := s.checkPassword(ctx, from, in.Body)
		if err != nil {
			return err
		}
		o, err := s.cfg.Auth.LogIn(ctx, u, in.Body.Name, from)
		out = api.LoggedIn{Token: o.Secret, ExpiresAt: o.ExpiresAt}
		if err == nil {
			s.cfg.Engine.LoggedIn(ctx, engine.Principal{Actor: u.Actor(), Address: from}, "token")
		}
		return err
	})
	if errors.Is(err, errMustChange) {
		return api.LoggedIn{MustChange: true}, nil
	}
	return out, unauthenticated(err)
}

// logoutAPI ends the token or session that the request shows.
func (s *Server) logoutAPI(ctx context.Context, _ *nothing) (nothing, error) {
	r := request(ctx)
	if token := bearer(r); token != "" {
		return nothing{}, s.cfg.Auth.Close(ctx, token)
	}
	return nothing{}, s.closeSession(r)
}

type requestKeyOf struct{}

// request is the HTTP request that an operation answers.
func request(ctx context.Context) *http.Request {
	r, _ := ctx.Value(requestKeyOf{}).(*http.Request)
	return r
}

func (s *Server) listUsers(ctx context.Context, _ *nothing) (api.Page[api.User], error) {
	if err := s.cfg.Engine.Allow(ctx, principal(ctx), delivery.CmdUserEdit, delivery.Everything("users")); err != nil {
		return api.Page[api.User]{}, err
	}
	all, err := s.cfg.People.Users(ctx)
	return api.Page[api.User]{Items: mapped(all, api.UserOf)}, err
}

func mapped[T, O any](all []T, to func(T) O) []O {
	out := make([]O, len(all))
	for i, v := range all {
		out[i] = to(v)
	}
	return out
}

type addUserInput struct{ Body api.AddUser }

func (s *Server) addUser(ctx context.Context, in *addUserInput) (api.UserPassword, error) {
	u, password, err := s.cfg.Engine.AddUser(ctx, principal(ctx), in.Body)
	return api.UserPassword{User: api.UserOf(u), Password: password}, err
}

// UserPath is exported because the framework reads embedded fields of exported types
// only.
type UserPath struct {
	User string `path:"user" maxLength:"200"`
}

type changeUserInput struct {
	UserPath
	Body api.ChangeUser
}

func (s *Server) changeUser(ctx context.Context, in *changeUserInput) (api.User, error) {
	u, err := s.cfg.Engine.ChangeUser(ctx, principal(ctx), in.User, in.Body)
	return api.UserOf(u), err
}

func (s *Server) resetPassword(ctx context.Context, in *UserPath) (api.UserPassword, error) {
	u, password, err := s.cfg.Engine.ResetPassword(ctx, principal(ctx), in.User)
	return api.UserPassword{User: api.UserOf(u), Password: password}, err
}

// listSessions lists what a user is signed in with: browsers and command lines.
func (s *Server) listSessions(ctx context.Context, in *UserPath) (api.Page[api.Token], error) {
	return s.tokensOf(ctx, in.User, delivery.TokenSession, delivery.TokenLogin)
}

func (s *Server) revokeSessions(ctx context.Context, in *UserPath) (nothing, error) {
	return nothing{}, s.cfg.Engine.RevokeSessions(ctx, principal(ctx), in.User)
}

type tokensInput struct {
	For string `query:"for" maxLength:"200" doc:"whose; empty is one's own, * is everybody's"`
}

func (s *Server) listTokens(ctx context.Context, in *tokensInput) (api.Page[api.Token], error) {
	owner := in.For
	if owner == "" {
		owner = principal(ctx).Actor.Name
	}
	return s.tokensOf(ctx, owner, delivery.TokenAPI)
}

func (s *Server) tokensOf(ctx context.Context, owner string, kinds ...delivery.TokenKind) (api.Page[api.Token], error) {
	if err := s.cfg.Engine.Own(ctx, principal(ctx), owner, delivery.CmdTokenRevoke); err != nil {
		return api.Page[api.Token]{}, err
	}
	if owner == "*" {
		owner = ""
	}
	all, err := s.cfg.People.Tokens(ctx, owner)
	all = slices.DeleteFunc(all, func(t delivery.Token) bool { return !slices.Contains(kinds, t.Kind) })
	return api.Page[api.Token]{Items: mapped(all, api.TokenOf)}, err
}

type createTokenInput struct{ Body api.CreateToken }

func (s *Server) createToken(ctx context.Context, in *createTokenInput) (api.NewToken, error) {
	t, secret, err := s.cfg.Engine.CreateToken(ctx, principal(ctx), in.Body)
	return api.NewToken{Token: api.TokenOf(t), Secret: secret}, err
}

type tokenInput struct {
	Token string `path:"token" maxLength:"100"`
}

func (s *Server) revokeToken(ctx context.Context, in *tokenInput) (nothing, error) {
	return nothing{}, s.cfg.Engine.RevokeToken(ctx, principal(ctx), in.Token)
}
