package store

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertAdmission = `INSERT INTO admission (version, doc, id) VALUES ($1 + 1, $2, $3) ON CONFLICT (id) DO NOTHING`
	updateAdmission = `UPDATE admission SET version = version + 1, doc = $2 WHERE id = $3 AND version = $1`
	selectAdmission = `SELECT doc, version FROM admission WHERE id = $1`
)

func writeAdmission(a *delivery.Admission) (write, error) {
	return aggregate{
		name: "the admission", insert: insertAdmission, update: updateAdmission, version: &a.Version, doc: a,
		cols: []any{delivery.AdmissionID},
	}.write()
}

var scanAdmission = scanVersioned(func(a *delivery.Admission) *int64 { return &a.Version })

// Admission loads the admission, of version 0 when there is none yet.
func (s *Store) Admission(ctx context.Context) (delivery.Admission, error) {
	a, _, err := one(ctx, s.reader, scanAdmission, selectAdmission, delivery.AdmissionID)
	return a, err
}
