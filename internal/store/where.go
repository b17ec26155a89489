package store

import (
	"fmt"
	"strings"
)

// where puts the conditions of a list together. Its text is made of constants
// only, so the distinct queries are few and stay prepared.
type where struct {
	conds []string
	args  []any
}

// equal asks for column = value, unless value is empty.
func (w *where) equal(column, value string) { w.compare(column, "=", value) }

// below asks for column < value, unless value is empty.
func (w *where) below(column, value string) { w.compare(column, "<", value) }

func (w *where) compare(column, op, value string) {
	if value != "" {
		w.args = append(w.args, value)
		w.and(fmt.Sprintf("%s %s $%d", column, op, len(w.args)))
	}
}

func (w *where) and(cond string) { w.conds = append(w.conds, cond) }

// query returns the query text and takes limit as the last argument.
func (w *where) query(selection, order string, limit int) string {
	if len(w.conds) > 0 {
		selection += " WHERE " + strings.Join(w.conds, " AND ")
	}
	w.args = append(w.args, limit)
	return fmt.Sprintf("%s ORDER BY %s LIMIT $%d", selection, order, len(w.args))
}
