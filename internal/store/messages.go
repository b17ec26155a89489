package store

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertMessage = `INSERT INTO messages (doc, id, channel, subject, state, ended_at, why) VALUES ($1, $2, $3, $4, 'owed', 0, '') ON CONFLICT (id) DO NOTHING`
	endMessage    = `UPDATE messages SET state = $2, ended_at = $3, why = $4 WHERE id = $1 AND state = 'owed'`
	messageKnown  = `SELECT EXISTS (SELECT 1 FROM messages WHERE id = $1)`
	messageCols   = `SELECT seq, state, ended_at, why, doc FROM messages `
	owedMessages  = messageCols + `WHERE channel = $1 AND state = 'owed' ORDER BY seq LIMIT $2`
	messagesOf    = messageCols + `WHERE subject = $1 ORDER BY seq`
	countOwed     = `SELECT channel, COUNT(*) FROM messages WHERE state = 'owed' GROUP BY channel`
	// forgetMessages goes with their subject.
	forgetMessages = `DELETE FROM messages WHERE subject = $1`

	insertOutbox = `INSERT INTO outboxes (version, doc, channel) VALUES ($1 + 1, $2, $3) ON CONFLICT (channel) DO NOTHING`
	updateOutbox = `UPDATE outboxes SET version = version + 1, doc = $2 WHERE channel = $3 AND version = $1`
	selectOutbox = `SELECT doc, version FROM outboxes WHERE channel = $1`
	listOutboxes = `SELECT doc, version FROM outboxes ORDER BY channel`
)

// writeMessage adds a message that is owed, or ends one.
func writeMessage(m delivery.Message) (write, error) {
	if m.State != delivery.MessageOwed {
		return write{
			apply: func(tx *tx) error {
				_, err := tx.exec(endMessage, m.ID, string(m.State), millis(m.EndedAt), m.Why)
				return err
			},
			committed: func() {},
		}, nil
	}
	return appendOnly(m, insertMessage, m.ID, m.Channel, m.Subject.ID)
}

func writeOutbox(o *delivery.Outbox) (write, error) {
	return aggregate{
		name: "outbox " + o.Channel, insert: insertOutbox, update: updateOutbox, version: &o.Version, doc: o,
		cols: []any{o.Channel},
	}.write()
}

func scanMessage(row scanner) (m delivery.Message, err error) {
	var doc []byte
	var seq, ended int64
	var state, why string
	if err = row.Scan(&seq, &state, &ended, &why, &doc); err == nil {
		err = decode(doc, &m)
	}
	m.Seq, m.State, m.EndedAt, m.Why = seq, delivery.MessageState(state), fromMillis(ended), why
	return m, err
}

var scanOutbox = scanVersioned(func(o *delivery.Outbox) *int64 { return &o.Version })

// Owed lists the oldest messages that a channel is owed, in order.
func (s *Store) Owed(ctx context.Context, channel string, limit int) ([]delivery.Message, error) {
	return list(ctx, s.reader, scanMessage, owedMessages, channel, limit)
}

// MessageKnown tells whether a message is, or was, owed.
func (s *Store) MessageKnown(ctx context.Context, id string) (bool, error) {
	return mustOne(ctx, s.reader, "answer", scanValue[bool], messageKnown, id)
}

// Messages lists what channels were told, or are owed, of a run or a release, in order.
func (s *Store) Messages(ctx context.Context, subject string) ([]delivery.Message, error) {
	return list(ctx, s.reader, scanMessage, messagesOf, subject)
}

// Outbox loads the outbox of a channel. When there is none yet, it returns one of
// version 0 that holds the channel's name only.
func (s *Store) Outbox(ctx context.Context, channel string) (delivery.Outbox, error) {
	o, ok, err := one(ctx, s.reader, scanOutbox, selectOutbox, channel)
	if !ok {
		o = delivery.Outbox{Channel: channel}
	}
	return o, err
}

// Outboxes lists all that ever sent, by channel.
func (s *Store) Outboxes(ctx context.Context) ([]delivery.Outbox, error) {
	return list(ctx, s.reader, scanOutbox, listOutboxes)
}

// CountOwed tells how many messages each channel is owed that is owed any.
func (s *Store) CountOwed(ctx context.Context) (map[string]int, error) {
	type count struct {
		channel string
		n       int
	}
	all, err := list(ctx, s.reader, func(row scanner) (c count, err error) {
		err = row.Scan(&c.channel, &c.n)
		return c, err
	}, countOwed)
	counts := make(map[string]int, len(all))
	for _, c := range all {
		counts[c.channel] = c.n
	}
	return counts, err
}
