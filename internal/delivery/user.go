package delivery

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// User is a person, or an account of a program, that may sign in.
type User struct {
	Name string `json:"name"`
	// Kind is ActorUser, or ActorService: a program, which has tokens only.
	Kind        ActorKind `json:"kind"`
	DisplayName string    `json:"displayName,omitempty"`
	Email       string    `json:"email,omitempty"`
	// Admin may do everything: the first user has it.
	Admin bool `json:"admin,omitempty"`
	// Groups were given here, Claimed by the identity provider at the last log-in.
	Groups   []string `json:"groups,omitempty"`
	Claimed  []string `json:"claimed,omitempty"`
	Disabled bool     `json:"disabled,omitempty"`
	// MustChange asks for another password before anything else.
	MustChange bool `json:"mustChange,omitempty"`
	// Identity is who the user is at an identity provider; nil signs in here.
	Identity  *Identity `json:"identity,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	// Epoch counts what ends every session and token: another password, or disabling.
	Epoch int64 `json:"epoch,omitempty"`

	// Password is its hash; it is kept beside the document, and never shown.
	Password string `json:"-"`
	Version  int64  `json:"-"`
}

// Identity names a person at an identity provider, for good.
type Identity struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
}

// Key is unique: an issuer is a URL, which has no space.
func (i *Identity) Key() string {
	if i == nil {
		return ""
	}
	return i.Issuer + " " + i.Subject
}

// Claims are what an identity provider says of who signed in there.
type Claims struct {
	Identity    Identity
	Name        string
	DisplayName string
	Email       string
	Groups      []string
}

// Actor is the user as it acts.
func (u User) Actor() Actor { return Actor{Kind: u.Kind, Name: u.Name} }

// Grants are what a log-in of the user says.
func (u User) Grants() Grants {
	groups := append(slices.Clone(u.Groups), u.Claimed...)
	slices.Sort(groups)
	return Grants{Admin: u.Admin, Groups: slices.Compact(groups)}
}

// Revoked is the user after everything that it signed in with has ended.
func (u User) Revoked() User {
	u.Epoch++
	return u
}

// WithPassword has a new password, by its hash: what was signed in with the old one
// ends. once asks for another one at the next log-in.
func (u User) WithPassword(hash string, once bool) User {
	u.Password, u.MustChange = hash, once
	return u.Revoked()
}

// Claim folds what the identity provider says now.
func (u User) Claim(c Claims) User {
	u.DisplayName, u.Email, u.Claimed = c.DisplayName, c.Email, c.Groups
	return u
}

// maxGroups are given here; directories of companies claim more.
const maxGroups, maxClaimed = 200, 2000

var (
	userName  = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{0,126}$`)
	groupName = regexp.MustCompile(`^[^\s,"'\\\x00-\x1f]{1,200}$`)
	email     = regexp.MustCompile(`^[^\s@<>]+@[^\s@<>]+$`)
	// reserved act without being users.
	reserved = []string{"administrator", "shiplock", "system", "everyone"}
)

// Check refuses what cannot be a user.
func (u User) Check() error {
	switch {
	case !userName.MatchString(u.Name):
		return E(Invalid, fmt.Sprintf("%q cannot be a user's name: write lower-case letters, digits and . _ @ + -, beginning with a letter or digit", clip(u.Name, 60)))
	case slices.Contains(reserved, u.Name):
		return E(Invalid, fmt.Sprintf("the name %s is Shiplock's own: choose another", u.Name))
	case u.Email != "" && !email.MatchString(u.Email):
		return E(Invalid, fmt.Sprintf("%q is no e-mail address", clip(u.Email, 60)))
	case len(u.DisplayName) > 200:
		return E(Invalid, "a display name has at most 200 bytes")
	case len(u.Groups) > maxGroups || len(u.Claimed) > maxClaimed:
		return E(Invalid, fmt.Sprintf("%s is in too many groups: name at most %d here, and have the identity provider claim at most %d", u.Name, maxGroups, maxClaimed))
	}
	for _, g := range u.Groups {
		if !groupName.MatchString(g) {
			return E(Invalid, fmt.Sprintf("%q cannot be a group's name: it has no spaces, commas or quotes", clip(g, 60)))
		}
	}
	return nil
}

// Password bounds; its form is nobody else's business.
const (
	minPassword = 10
	maxPassword = 256
)

// CheckPassword refuses what is too easily guessed.
func CheckPassword(user, password string) error {
	switch {
	case len(password) < minPassword:
		return E(Invalid, fmt.Sprintf("a password has at least %d characters", minPassword))
	case len(password) > maxPassword:
		return E(Invalid, fmt.Sprintf("a password has at most %d bytes", maxPassword))
	case password == user || len(user) >= minPassword/2 && user+user == password:
		return E(Invalid, "a password is not the user's name")
	}
	return nil
}
