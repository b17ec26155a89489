package store

import (
	"context"
	"strings"
)

// Meddle runs statements in one transaction, as somebody with the database's password
// would.
func (s *Store) Meddle(ctx context.Context, statements ...string) error {
	return s.write(ctx, durable, func(tx *tx) error {
		for _, q := range statements {
			if _, err := tx.exec(q); err != nil {
				return err
			}
		}
		return nil
	})
}

// ChainAgain brings the audit to where it was before the chain, with these documents by
// number, and migrates it.
func (s *Store) ChainAgain(ctx context.Context, docs map[int64]string) error {
	text, err := migrations.ReadFile("migrations/" + chainMigration)
	if err != nil {
		return err
	}
	ddl, before := string(text), `CREATE TABLE audit (seq INTEGER NOT NULL PRIMARY KEY, doc TEXT NOT NULL)`
	if _, ok := s.db.(*postgres); ok {
		ddl, before = postgresDDL.Replace(ddl), postgresDDL.Replace(before)
	}
	var plain []string
	for _, line := range strings.Split(ddl, "\n") {
		code, _, _ := strings.Cut(line, "--")
		plain = append(plain, code)
	}
	return s.write(ctx, durable, func(tx *tx) error {
		for _, q := range []string{`DROP TABLE audit`, `DROP TABLE audit_head`, before} {
			if _, err := tx.exec(q); err != nil {
				return err
			}
		}
		for seq, doc := range docs {
			if _, err := tx.exec(`INSERT INTO audit (seq, doc) VALUES ($1, $2)`, seq, doc); err != nil {
				return err
			}
		}
		for _, q := range strings.Split(strings.Join(plain, "\n"), ";") {
			if strings.TrimSpace(q) == "" {
				continue
			}
			if _, err := tx.exec(q); err != nil {
				return err
			}
		}
		return chainAudit(tx)
	})
}
