package store

import (
	"fmt"
	"math/bits"
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

// among asks for column to be one of the values, unless they are nil. The list is made
// up to a power of two, so that there are few different queries to keep prepared.
func (w *where) among(column string, values []string) {
	if values == nil {
		return
	}
	if len(values) == 0 {
		w.and("1 = 0")
		return
	}
	marks := make([]string, 1<<bits.Len(uint(len(values)-1)))
	for i := range marks {
		w.args = append(w.args, values[min(i, len(values)-1)])
		marks[i] = fmt.Sprintf("$%d", len(w.args))
	}
	w.and(column + " IN (" + strings.Join(marks, ", ") + ")")
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
