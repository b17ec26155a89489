package store

import "context"

const (
	selectMeta = `SELECT value FROM meta WHERE key = $1`
	insertMeta = `INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING`
)

// Meta reads a setting of the installation, or NotFound.
func (s *Store) Meta(ctx context.Context, key string) (string, error) {
	return mustOne(ctx, s.reader, "setting "+key, scanValue[string], selectMeta, key)
}

// SetMetaOnce sets a setting that has no value yet, and returns the value that it
// has then: the first one wins, for every replica.
func (s *Store) SetMetaOnce(ctx context.Context, key, value string) (string, error) {
	var actual string
	err := s.write(ctx, durable, func(tx *tx) error {
		if _, err := tx.exec(insertMeta, key, value); err != nil {
			return err
		}
		return tx.row(selectMeta, key).Scan(&actual)
	})
	return actual, err
}
