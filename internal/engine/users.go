package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// People reads who may sign in. NotFound when there is none.
type People interface {
	User(ctx context.Context, name string) (delivery.User, error)
	UserByIdentity(ctx context.Context, id delivery.Identity) (delivery.User, error)
	Token(ctx context.Context, id string) (delivery.Token, error)
}

// Credentials makes what people and programs prove themselves by.
type Credentials interface {
	// NewToken and NewPassword make a secret, and what is kept of it.
	NewToken() (secret, hash string)
	NewPassword(ctx context.Context) (password, hash string, err error)
	HashPassword(ctx context.Context, password string) (hash string, err error)
}

// ruleSelf allows what somebody does to what is their own.
const ruleSelf = "oneself"

// ownCommand is command for what belongs to a user, who needs no other rule.
func (e *Engine) ownCommand(ctx context.Context, p Principal, owner string, cmd delivery.Command, on delivery.Object, detail string, do func(*draft) error) error {
	if !p.is(owner) {
		return e.command(ctx, p, cmd, on, detail, do)
	}
	if err := p.Grants.Narrowed(cmd, on); err != nil {
		return err
	}
	return e.carryOut(ctx, p, ruleSelf, cmd, on, detail, do)
}

// is tells whether it is the user of that name.
func (p Principal) is(owner string) bool {
	return owner != "" && p.Actor.Name == owner && (p.Actor.Kind == delivery.ActorUser || p.Actor.Kind == delivery.ActorService)
}

// Own authorises a command that changes nothing on what belongs to a user.
func (e *Engine) Own(ctx context.Context, p Principal, owner string, cmd delivery.Command) error {
	if p.is(owner) {
		return p.Grants.Narrowed(cmd, onUser(owner))
	}
	return e.Allow(ctx, p, cmd, onUser(owner))
}

func onUser(name string) delivery.Object { return delivery.Everything("user " + name) }

// FirstUser makes the first administrator, unless there was one; the password is for
// one log-in, and empty when there was.
func (e *Engine) FirstUser(ctx context.Context, name string) (password string, err error) {
	if _, err := e.store.User(ctx, name); delivery.KindOf(err) != delivery.NotFound {
		return "", err
	}
	password, hash, err := e.cfg.Credentials.NewPassword(ctx)
	if err != nil {
		return "", err
	}
	u := delivery.User{Name: name, Kind: delivery.ActorUser, Admin: true, CreatedAt: e.now(), Password: hash, MustChange: true}
	err = e.carryOut(ctx, Principal{Actor: delivery.System()}, "first start", delivery.CmdUserEdit, onUser(name), "added", func(d *draft) error {
		d.extra.Users = append(d.extra.Users, new(u))
		return nil
	})
	if delivery.KindOf(err) == delivery.Conflict { // another server was first
		return "", nil
	}
	return password, err
}

// AddUser makes a user; a person gets a password for one log-in, which is shown now and
// never again.
func (e *Engine) AddUser(ctx context.Context, p Principal, ask api.AddUser) (u delivery.User, password string, err error) {
	if err := e.Allow(ctx, p, delivery.CmdUserEdit, onUser(ask.Name)); err != nil {
		return u, "", err
	}
	u = delivery.User{
		Name: ask.Name, Kind: delivery.ActorUser, DisplayName: ask.DisplayName, Email: ask.Email,
		Groups: tidy(ask.Groups), CreatedAt: e.now(),
	}
	if ask.Service {
		u.Kind = delivery.ActorService
	}
	if err := u.Check(); err != nil {
		return u, "", err
	}
	if _, err := e.store.User(ctx, u.Name); delivery.KindOf(err) != delivery.NotFound {
		return u, "", either(err, delivery.E(delivery.Conflict, fmt.Sprintf("there is a user %s already: see `shiplock user list`", u.Name)))
	}
	if u.Kind == delivery.ActorUser {
		if password, u.Password, err = e.cfg.Credentials.NewPassword(ctx); err != nil {
			return u, "", err
		}
		u.MustChange = true
	}
	detail := strings.TrimSpace("added " + groupsOf(u.Groups))
	err = e.command(ctx, p, delivery.CmdUserEdit, onUser(u.Name), detail, func(d *draft) error {
		d.extra.Users = append(d.extra.Users, new(u))
		return nil
	})
	return u, password, err
}

// either is err, or what stands for its absence.
func either(err, none error) error {
	if err != nil {
		return err
	}
	return none
}

func tidy(groups []string) []string {
	groups = slices.Clone(groups)
	slices.Sort(groups)
	return slices.Compact(groups)
}

func groupsOf(groups []string) string {
	if len(groups) == 0 {
		return ""
	}
	return "in " + strings.Join(groups, ", ")
}

// ChangeUser changes a user. Who is disabled is out at once.
func (e *Engine) ChangeUser(ctx context.Context, p Principal, name string, ask api.ChangeUser) (delivery.User, error) {
	if p.is(name) && ask.Disabled != nil && *ask.Disabled {
		return delivery.User{}, delivery.E(delivery.Conflict, "you cannot disable yourself: let another administrator do it")
	}
	return e.editUser(ctx, p, name, changesOf(ask), func(u delivery.User) (delivery.User, error) {
		if ask.DisplayName != nil {
			u.DisplayName = *ask.DisplayName
		}
		if ask.Email != nil {
			u.Email = *ask.Email
		}
		if ask.Groups != nil {
			u.Groups = tidy(*ask.Groups)
		}
		if ask.Disabled != nil && u.Disabled != *ask.Disabled {
			u.Disabled = *ask.Disabled
			u = u.Revoked()
		}
		return u, u.Check()
	})
}

func changesOf(ask api.ChangeUser) string {
	var said []string
	if ask.Disabled != nil {
		said = append(said, map[bool]string{true: "disabled", false: "enabled"}[*ask.Disabled])
	}
	if ask.Groups != nil {
		said = append(said, "groups "+strings.Join(tidy(*ask.Groups), ", "))
	}
	if ask.DisplayName != nil {
		said = append(said, "display name "+*ask.DisplayName)
	}
	if ask.Email != nil {
		said = append(said, "e-mail "+*ask.Email)
	}
	return strings.Join(said, "; ")
}

// ResetPassword gives a person another password for one log-in, and ends all sessions
// and tokens.
func (e *Engine) ResetPassword(ctx context.Context, p Principal, name string) (u delivery.User, password string, err error) {
	if err := e.Allow(ctx, p, delivery.CmdUserEdit, onUser(name)); err != nil {
		return u, "", err
	}
	password, hash, err := e.cfg.Credentials.NewPassword(ctx)
	if err != nil {
		return u, "", err
	}
	u, err = e.editUser(ctx, p, name, "password reset", func(u delivery.User) (delivery.User, error) {
		return u.WithPassword(hash, true), hasPassword(u)
	})
	return u, password, err
}

// ChangePassword is for the person whose old password was just checked. It ends all
// sessions and tokens.
func (e *Engine) ChangePassword(ctx context.Context, checked delivery.User, password, from string) (delivery.User, error) {
	if err := delivery.CheckPassword(checked.Name, password); err != nil {
		return checked, err
	}
	hash, err := e.cfg.Credentials.HashPassword(ctx, password)
	if err != nil {
		return checked, err
	}
	p := Principal{Actor: checked.Actor(), Address: from}
	var u delivery.User
	err = e.carryOut(ctx, p, ruleSelf, delivery.CmdUserEdit, onUser(checked.Name), "password changed", func(d *draft) error {
		now, err := e.store.User(ctx, checked.Name)
		if err != nil {
			return err
		}
		if now.Password != checked.Password || now.Disabled {
			return delivery.E(delivery.Denied, "the password was changed meanwhile: log in again")
		}
		u = now.WithPassword(hash, false)
		d.putUser(u)
		return nil
	})
	return u, err
}

func hasPassword(u delivery.User) error {
	switch {
	case u.Identity != nil:
		return delivery.E(delivery.Conflict, fmt.Sprintf("%s signs in at %s and has no password here", u.Name, u.Identity.Issuer))
	case u.Kind == delivery.ActorService:
		return delivery.E(delivery.Conflict, fmt.Sprintf("%s is a program's account and has tokens only: see `shiplock token create --for %s`", u.Name, u.Name))
	}
	return nil
}

// editUser is the command that changes a user.
func (e *Engine) editUser(ctx context.Context, p Principal, name, detail string, edit func(delivery.User) (delivery.User, error)) (u delivery.User, err error) {
	err = e.command(ctx, p, delivery.CmdUserEdit, onUser(name), detail, func(d *draft) error {
		before, err := e.store.User(ctx, name)
		if delivery.KindOf(err) == delivery.NotFound {
			return delivery.E(delivery.NotFound, fmt.Sprintf("there is no user %s: see `shiplock user list`", name))
		}
		if err != nil {
			return err
		}
		if before.Admin && !p.Grants.Admin {
			return delivery.E(delivery.Denied, fmt.Sprintf("%s is an administrator: only another one may change that user", name))
		}
		if u, err = edit(before); err == nil {
			d.putUser(u)
		}
		return err
	})
	return u, err
}

// putUser writes a user. An epoch that moved ends all tokens anyhow; their rows go too.
func (d *draft) putUser(u delivery.User) {
	d.extra.Users = append(d.extra.Users, &u)
	if u.Epoch > 0 {
		d.extra.Revoke = append(d.extra.Revoke, delivery.TokenMatch{Owner: u.Name, Epoch: u.Epoch})
	}
}
