package delivery

import (
	"fmt"
	"slices"
	"time"
)

// Outbox is what is known of sending to one Channel. It is the one place in which a
// channel's limits are counted, so they hold for all servers together.
type Outbox struct {
	Channel string `json:"channel"`
	// Minute and Second count against the vendor's limits.
	Minute Bucket `json:"minute,omitzero"`
	Second Bucket `json:"second,omitzero"`
	// Tries counts the failures in a row, and RetryAt is when to try again.
	Tries   int       `json:"tries,omitempty"`
	RetryAt time.Time `json:"retryAt,omitzero"`

	Sent   int64     `json:"sent"`
	SentAt time.Time `json:"sentAt,omitzero"`
	// Refused and Dropped count the messages that were never sent.
	Refused int64 `json:"refused,omitempty"`
	Dropped int64 `json:"dropped,omitempty"`
	// Error is what went wrong last; it goes when a message gets through.
	Error   string    `json:"error,omitempty"`
	ErrorAt time.Time `json:"errorAt,omitzero"`
	Version int64     `json:"version"`
}

// Ref returns the outbox's reference.
func (o Outbox) Ref() Ref { return OutboxRef(o.Channel) }

// OutboxRef is the reference of a channel's outbox.
func OutboxRef(channel string) Ref { return Ref{KindOutbox, channel} }

const (
	// DigestLimit bounds the messages that are told in one, so that each has its line
	// in the smallest body that a vendor takes.
	DigestLimit = 20
	// OwedLimit is how many owed messages an Outbox looks at: more than any burst.
	OwedLimit = 60
	// messageAge is how old a message may be when it is sent.
	messageAge = 24 * time.Hour
	firstRetry = time.Second
	maxRetry   = time.Minute
)

// ChatLimits are how often a bot may speak.
type ChatLimits struct{ Minute, Second Rate }

// Limits returns the vendor's limits, and a message less: one that was sent by a server
// which then died is not counted. Burst and refill together stay below 100 a minute and 5
// a second (Feishu), 20 a minute (DingTalk, WeCom).
func (v ChatVendor) Limits() ChatLimits {
	if v == Feishu {
		return ChatLimits{Minute: Rate{49, 1200 * time.Millisecond}, Second: Rate{2, 500 * time.Millisecond}}
	}
	return ChatLimits{Minute: Rate{9, 6 * time.Second}, Second: Rate{2, 500 * time.Millisecond}}
}

// OutboxFacts is what an Outbox's Next looks at beside itself.
type OutboxFacts struct {
	// Channel is nil when it was removed.
	Channel *Channel
	// Owed are the oldest messages that are owed, in order; at most OwedLimit.
	Owed []Message
	// QuietUntil is when the quiet hours end that are now; zero when none are.
	QuietUntil time.Time
}

// SendMessages tells a channel of messages, in one when there are several.
type SendMessages struct {
	Channel  Channel
	Messages []Message
}

func (SendMessages) action() {}

// Facts about an Outbox.
type (
	// MessagesSent says that the vendor took the messages.
	MessagesSent struct {
		IDs    []string
		Limits ChatLimits
		At     time.Time
	}
	// MessagesRefused says that the vendor will never take them.
	MessagesRefused struct {
		IDs    []string
		Why    string
		Limits ChatLimits
		At     time.Time
	}
	// SendingFailed says that it may be tried again, and not before After has passed.
	SendingFailed struct {
		Why    string
		After  time.Duration
		Limits ChatLimits
		At     time.Time
	}
	// MessagesDropped says that nobody wants to know any more.
	MessagesDropped struct {
		IDs []string
		Why string
		At  time.Time
	}
	// TestAsked says that a person is about to send a message.
	TestAsked struct {
		Limits ChatLimits
		At     time.Time
	}
	// ChannelTested says how that went; Why is why it failed.
	ChannelTested struct {
		Why string
		At  time.Time
	}
)

func (MessagesSent) Name() string    { return "messages.sent" }
func (MessagesRefused) Name() string { return "messages.refused" }
func (SendingFailed) Name() string   { return "sending.failed" }
func (MessagesDropped) Name() string { return "messages.dropped" }
func (TestAsked) Name() string       { return "test.asked" }
func (ChannelTested) Name() string   { return "channel.tested" }

// Next says what is due for the channel, and when to look again. Messages go out in the
// order in which they came to be owed, one call at a time.
func (o Outbox) Next(now time.Time, f OutboxFacts) ([]Action, time.Time) {
	if len(f.Owed) == 0 {
		return nil, time.Time{}
	}
	if f.Channel == nil {
		return o.drop(f.Owed, "the channel was removed", now), time.Time{}
	}
	stale := 0
	for stale < len(f.Owed) && now.Sub(f.Owed[stale].At) > messageAge {
		stale++
	}
	if stale > 0 {
		return o.drop(f.Owed[:stale], fmt.Sprintf("it could not be sent within %s", Duration(messageAge)), now), time.Time{}
	}
	limits := f.Channel.Vendor.Limits()
	due := latest(o.RetryAt, o.MayAt(limits))
	if now.Before(f.QuietUntil) {
		loud := slices.IndexFunc(f.Owed, Message.Loud)
		if loud < 0 {
			return nil, latest(due, f.QuietUntil)
		}
		f.Owed = f.Owed[loud : loud+1]
	}
	if now.Before(due) {
		return nil, due
	}
	n := 1
	if len(f.Owed) > o.Minute.Left(limits.Minute, now) || f.afterQuiet(now) {
		n = min(len(f.Owed), DigestLimit)
	}
	return []Action{SendMessages{Channel: *f.Channel, Messages: f.Owed[:n]}}, time.Time{}
}

// MayAt is when the limits let the next message go.
func (o Outbox) MayAt(l ChatLimits) time.Time {
	return latest(o.Minute.Next(l.Minute), o.Second.Next(l.Second))
}

func (o Outbox) drop(ms []Message, why string, now time.Time) []Action {
	return []Action{Record{o.Ref(), MessagesDropped{IDs: idsOf(ms), Why: why, At: now}}}
}

// digestAge is how long ordinary messages may have waited before they are told in one.
const digestAge = 10 * time.Minute

// afterQuiet tells that several messages waited for the end of quiet hours.
func (f OutboxFacts) afterQuiet(now time.Time) bool {
	return f.Channel.Quiet.Zone != "" && now.Sub(f.Owed[0].At) > digestAge
}

// Apply folds a fact into the outbox.
func (o Outbox) Apply(e Event) (Outbox, error) {
	switch e := e.(type) {
	case MessagesSent:
		o.count(e.Limits, e.At)
		o.Sent += int64(len(e.IDs))
		o.SentAt, o.Tries, o.RetryAt, o.Error, o.ErrorAt = e.At, 0, time.Time{}, "", time.Time{}
	case MessagesRefused:
		o.count(e.Limits, e.At)
		o.Refused += int64(len(e.IDs))
		o.Tries, o.RetryAt, o.Error, o.ErrorAt = 0, time.Time{}, e.Why, e.At
	case SendingFailed:
		o.count(e.Limits, e.At)
		wait := max(e.After, min(firstRetry<<min(o.Tries, 20), maxRetry))
		o.Tries++
		o.RetryAt, o.Error, o.ErrorAt = e.At.Add(wait), e.Why, e.At
	case MessagesDropped:
		o.Dropped += int64(len(e.IDs))
		if e.Why != "" && o.Error == "" {
			o.Error, o.ErrorAt = e.Why, e.At
		}
	case TestAsked:
		o.count(e.Limits, e.At)
	case ChannelTested:
		o.Error, o.ErrorAt = e.Why, e.At
		if e.Why == "" {
			o.SentAt, o.Tries, o.RetryAt, o.ErrorAt = e.At, 0, time.Time{}, time.Time{}
		}
	default:
		return o, E(Internal, fmt.Sprintf("an outbox does not know the fact %T", e))
	}
	return o, nil
}

// count takes a message off the limits, whether it got through or not: the vendor
// counts both.
func (o *Outbox) count(l ChatLimits, now time.Time) {
	o.Minute, o.Second = o.Minute.Take(l.Minute, now), o.Second.Take(l.Second, now)
}

func idsOf(ms []Message) []string {
	ids := make([]string, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	return ids
}

func latest(ts ...time.Time) time.Time {
	var last time.Time
	for _, t := range ts {
		if t.After(last) {
			last = t
		}
	}
	return last
}
