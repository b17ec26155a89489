package delivery

import (
	"slices"
	"time"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// Channel is a group where people talk, and which is told what happens there by a bot.
type Channel struct {
	Name   string     `json:"name"`
	Vendor ChatVendor `json:"vendor"`
	// URLSecret names the secret that is the bot's address, which is all that anybody needs
	// to write into the group; SignSecret the one that its messages are signed with, if any.
	URLSecret  string `json:"urlSecret"`
	SignSecret string `json:"signSecret,omitempty"`
	// Scope chooses what is told of, Events which of it; empty is everything.
	Scope  Selector    `json:"scope,omitzero"`
	Events []ChatEvent `json:"events,omitempty"`
	// Mentions are people as the vendor knows them, by e-mail address or name.
	Mentions map[string]string `json:"mentions,omitempty"`
	// Language is what is spoken there; empty is English.
	Language phrase.Lang `json:"language,omitempty"`
	Quiet    QuietHours  `json:"quiet,omitzero"`
}

// ChatVendor is whose bot a Channel is.
type ChatVendor string

const (
	Feishu   ChatVendor = "feishu"
	DingTalk ChatVendor = "dingtalk"
	WeCom    ChatVendor = "wecom"
)

// ChatVendors lists all.
func ChatVendors() []ChatVendor { return []ChatVendor{Feishu, DingTalk, WeCom} }

// ChatEvent is what people are told of.
type ChatEvent string

const (
	// ChatApproval: a release waits for somebody's approval.
	ChatApproval ChatEvent = "approval"
	// ChatRejected: somebody said no to it, or not enough said yes in time.
	ChatRejected ChatEvent = "rejected"
	ChatStarted  ChatEvent = "started"
	ChatFinished ChatEvent = "finished"
	ChatFailed   ChatEvent = "failed"
	ChatAborted  ChatEvent = "aborted"
	// ChatRolledBack: a rollback has reached the version that it goes back to.
	ChatRolledBack ChatEvent = "rolledBack"
	ChatRunFailed  ChatEvent = "runFailed"
	// ChatEmergency: somebody took the emergency lane.
	ChatEmergency ChatEvent = "emergency"
)

// ChatEvents lists all, in the order of a release.
func ChatEvents() []ChatEvent {
	return []ChatEvent{
		ChatApproval, ChatRejected, ChatEmergency, ChatStarted, ChatFinished, ChatFailed, ChatAborted, ChatRolledBack, ChatRunFailed,
	}
}

// Tells tells whether the channel is told of an event of an App in an Environment.
func (c Channel) Tells(ev ChatEvent, a App, env string) bool {
	return (len(c.Events) == 0 || slices.Contains(c.Events, ev)) && c.Scope.Matches(a, env)
}

// Mention returns the first of some people whom the channel knows, as its vendor knows
// them; "" is nobody.
func (c Channel) Mention(people []string) string {
	for _, p := range people {
		if id := c.Mentions[p]; id != "" {
			return id
		}
	}
	return ""
}

// QuietHours are times of day, such as 22:00 to 08:00, at which a channel is told
// nothing but of emergencies; what came meanwhile it is told in one message afterwards.
type QuietHours struct {
	From ClockTime `json:"from"`
	To   ClockTime `json:"to"`
	// Zone is an IANA time zone, such as Asia/Shanghai.
	Zone string `json:"zone"`
}

// Until returns when the quiet hours end that local, a time in their zone, is in; zero
// when it is in none.
func (q QuietHours) Until(local time.Time) time.Time {
	if q.From == q.To {
		return time.Time{}
	}
	now := ClockTime(local.Hour()*60 + local.Minute())
	overnight := q.To < q.From
	end := q.To.on(local)
	switch {
	case !overnight && q.From <= now && now < q.To, overnight && now < q.To:
		return end
	case overnight && q.From <= now:
		return q.To.on(local.AddDate(0, 0, 1))
	}
	return time.Time{}
}
