package delivery

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// Message is one thing that a Channel is owed: one event of one subject, as it was when
// it happened. It commits together with what it tells of.
type Message struct {
	// Seq is its place in the order in which messages came to be owed; the store
	// assigns it.
	Seq int64 `json:"seq"`
	// ID is channel, subject and event, so that owing it twice is owing it once.
	ID      string       `json:"id"`
	Channel string       `json:"channel"`
	Event   ChatEvent    `json:"event"`
	Subject Ref          `json:"subject"`
	At      time.Time    `json:"at"`
	Note    Note         `json:"note"`
	State   MessageState `json:"state"`
	// EndedAt is when it was sent, refused or dropped, and Why why not sent.
	EndedAt time.Time `json:"endedAt,omitzero"`
	Why     string    `json:"why,omitempty"`
}

// MessageState is where a Message is.
type MessageState string

const (
	MessageOwed MessageState = "owed"
	MessageSent MessageState = "sent"
	// MessageRefused will never be taken by the vendor.
	MessageRefused MessageState = "refused"
	// MessageDropped was never sent: it is too old to be news, or its channel is gone.
	MessageDropped MessageState = "dropped"
)

// Note is what a Message says of its subject.
type Note struct {
	App string `json:"app"`
	Env string `json:"env"`
	// Version is what people know it by, such as "#12".
	Version string `json:"version,omitempty"`
	Commit  Commit `json:"commit,omitzero"`
	// Kind is a release's.
	Kind   ReleaseKind `json:"kind,omitempty"`
	By     Actor       `json:"by,omitzero"`
	Reason string      `json:"reason,omitempty"`
	Cause  *Cause      `json:"cause,omitempty"`
	// Old tells that another version runs, which a release that fails leaves running.
	Old bool `json:"old,omitempty"`
	// Emergency is a release's.
	Emergency *Emergency `json:"emergency,omitempty"`
	// Mention are the people who should look, by every name that they are known by.
	Mention []string `json:"mention,omitempty"`
}

// MessageID is the id of the message that tells a channel of an event. part tells apart
// what happens to a subject more than once, and is empty otherwise.
func MessageID(channel string, on Ref, ev ChatEvent, part string) string {
	return strings.TrimSuffix(fmt.Sprintf("%s/%s/%s/%s", channel, on, ev, part), "/")
}

// NewMessage makes what a channel is owed.
func NewMessage(channel string, n News, now time.Time) Message {
	return Message{
		ID: MessageID(channel, n.On, n.Event, n.Part), Channel: channel, Event: n.Event, Subject: n.On, At: now,
		Note: n.Note, State: MessageOwed,
	}
}

// Loud tells that nobody may be spared it: it does not wait for the end of quiet hours.
func (m Message) Loud() bool { return m.Event == ChatEmergency || m.Note.Emergency != nil }

// Headline says in one line of a language what happened.
func (m Message) Headline(l phrase.Lang) string {
	n := m.Note
	args := Args{
		"event": string(m.Event), "kind": string(n.Kind), "app": n.App, "version": n.Version, "what": n.App + n.Version,
		"env": n.Env, "by": n.By.String(),
	}
	if n.Old {
		args["old"] = "serves"
	}
	if n.Emergency != nil && n.Emergency.BreakGlass {
		args["glass"] = "broken"
	}
	line, _, _ := phrase.Say(l, "chat."+snake(m.Event), args)
	return line
}

// snake is an event as phrases are called: runFailed is run_failed.
func snake(ev ChatEvent) string {
	var b strings.Builder
	for _, r := range ev {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
