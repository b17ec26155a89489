package delivery

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Token is what is kept of an API token, or of a browser's session: never the secret.
type Token struct {
	ID   string    `json:"id"`
	Kind TokenKind `json:"kind"`
	// Name says what it is for.
	Name string `json:"name,omitempty"`
	// Owner is the User that it acts for. Without one it acts as Name with its own
	// Grants: the token of the first start does.
	Owner string `json:"owner,omitempty"`
	// Hash is what it is found by.
	Hash   string      `json:"-"`
	Grants Grants      `json:"grants"`
	Scope  *TokenScope `json:"scope,omitempty"`
	// Epoch is the owner's when it was made.
	Epoch int64 `json:"-"`
	// From is the address that it was asked for from, By the token that opened it.
	From      string    `json:"from,omitempty"`
	By        string    `json:"by,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	// ExpiresAt is zero for a token that does not expire, UsedAt for one that was not
	// used; it is up to some minutes late.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	UsedAt    time.Time `json:"usedAt,omitzero"`
}

// Opened is a token or a session that was just made: the only time that its secret is
// to be had.
type Opened struct {
	ID        string
	Secret    string
	ExpiresAt time.Time
}

// TokenMatch chooses tokens: the one of an ID with the sessions that it opened, or
// those of an owner: of a Kind, or of before an Epoch.
type TokenMatch struct {
	ID, Owner string
	Kind      TokenKind
	Epoch     int64
}

// TokenKind says what a Token is.
type TokenKind string

const (
	TokenAPI TokenKind = "token"
	// TokenLogin is the command line's, after a log-in.
	TokenLogin   TokenKind = "login"
	TokenSession TokenKind = "session"
)

// Expired tells whether its time is over.
func (t Token) Expired(now time.Time) bool { return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) }

// Bearer is who a token acts as, with what, once its owner is known; ok is false when
// it no longer does.
func (t Token) Bearer(owner *User, now time.Time) (a Actor, g Grants, ok bool) {
	switch {
	case t.Expired(now):
		return a, g, false
	case t.Owner == "":
		a, g = Actor{Kind: ActorUser, Name: t.Name}, t.Grants
	case owner == nil || owner.Disabled || owner.Epoch != t.Epoch:
		return a, g, false
	default:
		a, g = owner.Actor(), owner.Grants()
	}
	g.Only = t.Scope
	return a, g, a.Name != ""
}

// TokenScope narrows what a token may; an empty list narrows nothing.
type TokenScope struct {
	Commands     []Command `json:"commands,omitempty"`
	Apps         []string  `json:"apps,omitempty"`
	Environments []string  `json:"environments,omitempty"`
}

// Check refuses a scope that names what is not there.
func (s *TokenScope) Check() error {
	if s == nil {
		return nil
	}
	for _, c := range s.Commands {
		if !slices.Contains(Commands(), c) {
			return E(Invalid, fmt.Sprintf("%q is no command: name one of %s", clip(string(c), 40), names(Commands())))
		}
	}
	for _, p := range append(slices.Clone(s.Apps), s.Environments...) {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return E(Invalid, fmt.Sprintf("%q is no name and no pattern of names", clip(p, 40)))
		}
	}
	return nil
}

func names(all []Command) string {
	out := make([]string, len(all))
	for i, c := range all {
		out[i] = string(c)
	}
	return strings.Join(out, ", ")
}

// personal are about the actor itself; a token that is narrowed may none of them, so
// that it cannot make a wider one.
var personal = []Command{CmdUserEdit, CmdTokenIssue, CmdTokenRevoke, CmdAccessEdit}

// Narrowed refuses what the token that was used is not for, whatever its owner may do.
// What is to be read may lie outside of environments, as an App does.
func (g Grants) Narrowed(cmd Command, on Object) error {
	s := g.Only
	if s == nil {
		return nil
	}
	reads := cmd == CmdRead
	switch {
	case slices.Contains(personal, cmd) && !slices.Contains(s.Commands, cmd):
		return E(Denied, fmt.Sprintf("a token with a scope may not %s: use one without", cmd))
	case len(s.Commands) > 0 && !reads && !slices.Contains(s.Commands, cmd):
		return E(Denied, fmt.Sprintf("this token is not for %s: its scope is %s", cmd, names(s.Commands)))
	case len(s.Apps) > 0 && !matches(s.Apps, on.App):
		return E(Denied, fmt.Sprintf("this token is not for %s: its scope is the apps %s", on, strings.Join(s.Apps, ", ")))
	case len(s.Environments) > 0 && !matches(s.Environments, on.Env) && !(reads && on.Env == ""):
		return E(Denied, fmt.Sprintf("this token is not for %s: its scope is the environments %s", on, strings.Join(s.Environments, ", ")))
	}
	return nil
}

// touches tells whether Narrowed refuses all of an object: what it does not name may be
// anything.
func (g Grants) touches(cmd Command, on Object) bool {
	if g.Only == nil {
		return true
	}
	only := TokenScope{Commands: g.Only.Commands}
	if on.App != "" {
		only.Apps = g.Only.Apps
	}
	if on.Env != "" {
		only.Environments = g.Only.Environments
	}
	return Grants{Only: &only}.Narrowed(cmd, on) == nil
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return ok && err == nil && name != ""
	})
}
