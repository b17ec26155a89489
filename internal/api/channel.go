package api

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Channel is one with its source, and how sending to it goes.
type Channel struct {
	delivery.Channel
	Manager string        `json:"manager"`
	Health  ChannelHealth `json:"health"`
}

// ChannelHealth is how sending to a channel goes.
type ChannelHealth struct {
	State delivery.Level `json:"state" enum:"ok,warn,bad" doc:"warn: it is tried again; bad: the last message was refused for good"`
	// Owed messages wait to be sent.
	Owed   int       `json:"owed"`
	Sent   int64     `json:"sent"`
	SentAt time.Time `json:"sentAt,omitzero"`
	// Refused and Dropped messages were never sent.
	Refused int64     `json:"refused,omitempty"`
	Dropped int64     `json:"dropped,omitempty"`
	Error   string    `json:"error,omitempty" text:"ours"`
	ErrorAt time.Time `json:"errorAt,omitzero"`
	RetryAt time.Time `json:"retryAt,omitzero"`
}

// ChannelHealthOf says how an outbox is.
func ChannelHealthOf(o delivery.Outbox, owed int) ChannelHealth {
	h := ChannelHealth{
		State: delivery.LevelOK, Owed: owed, Sent: o.Sent, SentAt: o.SentAt, Refused: o.Refused, Dropped: o.Dropped,
		Error: o.Error, ErrorAt: o.ErrorAt, RetryAt: o.RetryAt,
	}
	switch {
	case o.Error != "" && o.RetryAt.IsZero():
		h.State = delivery.LevelBad
	case o.Error != "":
		h.State = delivery.LevelWarn
	}
	return h
}

// ChannelTest is what came of a test message.
type ChannelTest struct {
	// Answer is the vendor's, its code first.
	Answer string `json:"answer"`
}
