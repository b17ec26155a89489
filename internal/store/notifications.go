package store

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertNotification = `INSERT INTO notifications (version, doc, id) VALUES ($1 + 1, $2, $3) ON CONFLICT (id) DO NOTHING`
	updateNotification = `UPDATE notifications SET version = version + 1, doc = $2 WHERE id = $3 AND version = $1`
	selectNotification = `SELECT doc, version FROM notifications WHERE id = $1`
)

func writeNotification(n *delivery.Notification) (write, error) {
	return aggregate{
		name: "notification " + n.ID, insert: insertNotification, update: updateNotification, version: &n.Version, doc: n,
		cols: []any{n.ID},
	}.write()
}

var scanNotification = scanVersioned(func(n *delivery.Notification) *int64 { return &n.Version })

// Notification loads a notification. When there is none yet, it returns one of
// version 0 that holds its ID only.
func (s *Store) Notification(ctx context.Context, id string) (delivery.Notification, error) {
	n, ok, err := one(ctx, s.reader, scanNotification, selectNotification, id)
	if !ok {
		n = delivery.Notification{ID: id}
	}
	return n, err
}
