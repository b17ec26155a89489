package store

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertHistory = `INSERT INTO history (doc, kind, id, version, n)
		SELECT $1, $2, $3, $4, COALESCE(MAX(n), 0) + 1 FROM history WHERE kind = $2 AND id = $3 AND version = $4`
	// listHistory ends with a whole version, so that the next page begins after it.
	listHistory = `SELECT doc FROM history WHERE kind = $1 AND id = $2 AND version > $3 AND version <= COALESCE(
			(SELECT version FROM history WHERE kind = $1 AND id = $2 AND version > $3 ORDER BY version, n LIMIT 1 OFFSET $4 - 1),
			9223372036854775807)
		ORDER BY version, n`
)

func writeHistory(h delivery.HistoryEntry) (write, error) {
	return appendOnly(h, insertHistory, string(h.Ref.Kind), h.Ref.ID, h.Version)
}

// History lists the facts of an aggregate after a version, the oldest first, at
// least limit of them when there are so many: it never splits a version, so that a
// reader can go on after the last one.
func (s *Store) History(ctx context.Context, ref delivery.Ref, afterVersion int64, limit int) ([]delivery.HistoryEntry, error) {
	return list(ctx, s.reader, scanDoc[delivery.HistoryEntry], listHistory, string(ref.Kind), ref.ID, afterVersion, max(limit, 1))
}
