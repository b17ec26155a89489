package api

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Approval is whose consent a release asks for, and who has given it.
type Approval struct {
	// Subject is what is asked about; name it when approving.
	Subject   delivery.Digest `json:"subject"`
	Round     int             `json:"round" doc:"counts the requests"`
	AskedAt   time.Time       `json:"askedAt,omitzero"`
	AskedBy   delivery.Actor  `json:"askedBy,omitzero"`
	GrantedAt time.Time       `json:"grantedAt,omitzero"`
	// Groups are empty once the release does not wait any more.
	Groups  []delivery.GroupStanding `json:"groups,omitempty"`
	Met     bool                     `json:"met,omitempty"`
	Expires time.Time                `json:"expires,omitzero"`
	Votes   []ApprovalVote           `json:"votes"`
	Refusal string                   `json:"refusal,omitempty" text:"ours" doc:"why you are not one of those who may approve"`
	Void    *delivery.Cause          `json:"void,omitempty" doc:"why the votes count no more"`
}

// ApprovalVote is one person's consent.
type ApprovalVote struct {
	By   delivery.Actor `json:"by"`
	At   time.Time      `json:"at"`
	Rule string         `json:"rule" doc:"by which group of which policy"`
	Note string         `json:"note,omitempty"`
}

// Approve consents to a release.
type Approve struct {
	Subject delivery.Digest `json:"subject,omitempty" doc:"what was looked at; it is refused when that has changed. Empty is what the release is now"`
	Note    string          `json:"note,omitempty" maxLength:"1000"`
}

// AskEmergency asks for the emergency lane.
type AskEmergency struct {
	Incident   string `json:"incident" maxLength:"1000" doc:"the link of the incident"`
	BreakGlass bool   `json:"breakGlass,omitempty" doc:"start without anybody's approval, which is told to everybody"`
}

// Note is what somebody writes to something.
type Note struct {
	Note string `json:"note" maxLength:"4000"`
}

// ApprovalPolicy and Delegation are documents with their source.
type (
	ApprovalPolicy struct {
		delivery.ApprovalPolicy
		Manager string `json:"manager"`
	}
	Delegation struct {
		delivery.Delegation
		Manager string `json:"manager"`
	}
)

// ApprovalOf returns the approval of a release; nil when none was asked for. The caller
// adds how it stands.
func ApprovalOf(r delivery.Release) *Approval {
	a := r.Approval
	if a == nil {
		return nil
	}
	out := &Approval{
		Subject: a.Subject, Round: a.Round, AskedAt: a.AskedAt, AskedBy: a.AskedBy, GrantedAt: a.GrantedAt,
		Votes: make([]ApprovalVote, len(a.Votes)), Void: a.Void,
	}
	for i, v := range a.Votes {
		out.Votes[i] = ApprovalVote{By: v.Actor, At: v.At, Rule: v.Rule, Note: v.Note}
	}
	return out
}
