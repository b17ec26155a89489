package delivery

import (
	"fmt"
	"slices"
	"strings"
)

// Subject is whom a rule means: "user:ann", "group:web-leads", "service:ci", or
// "everyone", who is signed in.
type Subject struct {
	Kind SubjectKind
	Name string
}

// SubjectKind says what sort of subject it is.
type SubjectKind string

const (
	SubjectUser     SubjectKind = "user"
	SubjectGroup    SubjectKind = "group"
	SubjectService  SubjectKind = "service"
	SubjectEveryone SubjectKind = "everyone"
)

func (s Subject) String() string {
	if s.Kind == SubjectEveryone {
		return string(s.Kind)
	}
	return string(s.Kind) + ":" + s.Name
}

func (s Subject) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s *Subject) UnmarshalText(text []byte) error {
	kind, name, _ := strings.Cut(string(text), ":")
	*s = Subject{SubjectKind(kind), name}
	switch everyone := s.Kind == SubjectEveryone; {
	case everyone && len(text) == len(SubjectEveryone),
		!everyone && name != "" && slices.Contains([]SubjectKind{SubjectUser, SubjectGroup, SubjectService}, s.Kind):
		return nil
	}
	return E(Invalid, fmt.Sprintf("%q is nobody: write user:NAME, group:NAME, service:NAME or everyone", clip(string(text), 60)))
}

// Is tells whether an actor with these groups is meant.
func (s Subject) Is(a Actor, groups []string) bool {
	switch s.Kind {
	case SubjectUser:
		return a.Kind == ActorUser && a.Name == s.Name
	case SubjectService:
		return a.Kind == ActorService && a.Name == s.Name
	case SubjectGroup:
		return (a.Kind == ActorUser || a.Kind == ActorService) && slices.Contains(groups, s.Name)
	case SubjectEveryone:
		return a.Kind == ActorUser || a.Kind == ActorService
	}
	return false
}
