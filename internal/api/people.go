package api

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// LogIn shows a password, and says another one when it is to be changed.
type LogIn struct {
	User        string `json:"user" minLength:"1" maxLength:"200"`
	Password    string `json:"password" minLength:"1" maxLength:"1024"`
	NewPassword string `json:"newPassword,omitempty" maxLength:"1024"`
	// Name says what the token is for, such as the machine's name.
	Name string `json:"name,omitempty" maxLength:"200"`
}

// LoggedIn has a token, which is shown only now; without one the password has to be
// changed first.
type LoggedIn struct {
	Token      string    `json:"token,omitempty"`
	ExpiresAt  time.Time `json:"expiresAt,omitzero"`
	MustChange bool      `json:"mustChange,omitempty"`
}

// User is one that may sign in.
type User struct {
	Name        string             `json:"name"`
	Kind        delivery.ActorKind `json:"kind"`
	DisplayName string             `json:"displayName,omitempty"`
	Email       string             `json:"email,omitempty"`
	Admin       bool               `json:"admin,omitempty"`
	Groups      []string           `json:"groups" doc:"given here, or claimed by the identity provider at the last log-in"`
	State       string             `json:"state" enum:"active,disabled,new-password"`
	// SignsIn is "password", "tokens", or the identity provider's URL.
	SignsIn   string    `json:"signsIn"`
	CreatedAt time.Time `json:"createdAt"`
}

// UserOf is a user as it is shown.
func UserOf(u delivery.User) User {
	out := User{
		Name: u.Name, Kind: u.Kind, DisplayName: u.DisplayName, Email: u.Email, Admin: u.Admin,
		Groups: append([]string{}, u.Grants().Groups...), State: "active", SignsIn: "password", CreatedAt: u.CreatedAt,
	}
	switch {
	case u.Disabled:
		out.State = "disabled"
	case u.MustChange:
		out.State = "new-password"
	}
	switch {
	case u.Identity != nil:
		out.SignsIn = u.Identity.Issuer
	case u.Kind == delivery.ActorService:
		out.SignsIn = "tokens"
	}
	return out
}

// AddUser makes a user.
type AddUser struct {
	Name        string   `json:"name" minLength:"1" maxLength:"200"`
	DisplayName string   `json:"displayName,omitempty"`
	Email       string   `json:"email,omitempty"`
	Groups      []string `json:"groups,omitempty"`
	// Service is an account of a program, which has tokens only.
	Service bool `json:"service,omitempty"`
}

// ChangeUser changes what is not null.
type ChangeUser struct {
	DisplayName *string   `json:"displayName,omitempty"`
	Email       *string   `json:"email,omitempty"`
	Groups      *[]string `json:"groups,omitempty"`
	Disabled    *bool     `json:"disabled,omitempty"`
}

// UserPassword is a user with a password for one log-in, shown only now.
type UserPassword struct {
	User     User   `json:"user"`
	Password string `json:"password,omitempty"`
}

// Token is an API token, or a session, without its secret.
type Token struct {
	ID        string               `json:"id"`
	Kind      delivery.TokenKind   `json:"kind"`
	Name      string               `json:"name,omitempty"`
	Owner     string               `json:"owner,omitempty"`
	Scope     *delivery.TokenScope `json:"scope,omitempty"`
	From      string               `json:"from,omitempty" doc:"the address that it was asked for from"`
	CreatedAt time.Time            `json:"createdAt"`
	ExpiresAt time.Time            `json:"expiresAt,omitzero"`
	UsedAt    time.Time            `json:"usedAt,omitzero" doc:"to the minute"`
}

// TokenOf is a token as it is shown.
func TokenOf(t delivery.Token) Token {
	return Token{
		ID: t.ID, Kind: t.Kind, Name: t.Name, Owner: t.Owner, Scope: t.Scope, From: t.From,
		CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, UsedAt: t.UsedAt,
	}
}

// CreateToken makes an API token.
type CreateToken struct {
	// For is the user that it acts for; empty is who asks.
	For  string `json:"for,omitempty"`
	Name string `json:"name,omitempty" maxLength:"200"`
	// Expires is how long it lasts; null is 30 days, 0s is for ever.
	Expires *delivery.Duration   `json:"expires,omitempty"`
	Scope   *delivery.TokenScope `json:"scope,omitempty"`
}

// NewToken is a token with its secret, which is shown only now.
type NewToken struct {
	Token
	Secret string `json:"secret"`
}
