package store

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertDocument = `INSERT INTO documents (version, doc, kind, name) VALUES ($1 + 1, $2, $3, $4) ON CONFLICT (kind, name) DO NOTHING`
	updateDocument = `UPDATE documents SET version = version + 1, doc = $2 WHERE kind = $3 AND name = $4 AND version = $1`
	deleteDocument = `DELETE FROM documents WHERE kind = $2 AND name = $3 AND version = $1`
	listDocuments  = `SELECT doc, version FROM documents ORDER BY kind, name`

	bumpCatalog    = `UPDATE catalog SET version = version + 1`
	catalogVersion = `SELECT version FROM catalog`
)

func writeDocument(c *delivery.DocumentChange) (write, error) {
	w, err := swapDocument(&c.Document, c.Delete)
	swap := w.apply
	w.apply = func(tx *tx) error {
		if err := swap(tx); err != nil {
			return err
		}
		_, err := tx.exec(bumpCatalog)
		return err
	}
	return w, err
}

func swapDocument(d *delivery.Document, remove bool) (write, error) {
	a := aggregate{
		name: d.Kind + " " + d.Name, insert: insertDocument, update: updateDocument, version: &d.Version, doc: d,
		cols: []any{d.Kind, d.Name},
	}
	if !remove {
		return a.write()
	}
	args := append([]any{d.Version}, a.cols...)
	return write{
		apply:     func(tx *tx) error { return a.swap(tx, deleteDocument, args) },
		committed: func() {},
	}, nil
}

// CatalogVersion changes whenever a document does.
func (s *Store) CatalogVersion(ctx context.Context) (int64, error) {
	return mustOne(ctx, s.reader, "catalog", scanValue[int64], catalogVersion)
}

var scanDocument = scanVersioned(func(d *delivery.Document) *int64 { return &d.Version })

// Documents lists the catalog by kind and name.
func (s *Store) Documents(ctx context.Context) ([]delivery.Document, error) {
	return list(ctx, s.reader, scanDocument, listDocuments)
}
