package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Problem is one fault in a document.
type Problem struct {
	// File is where the document was read; a document that came without a file
	// stands here by its name, e.g. "App/shop".
	File string `json:"file"`
	// Line and Column count from 1; they are 0 when only the field is known.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Field is the path of the faulty field, e.g. "spec.stack".
	Field string `json:"field,omitempty"`
	Msg   string `json:"message" text:"ours"`
}

func (p Problem) String() string {
	switch {
	case p.Line > 0:
		return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Msg)
	case p.Field != "":
		return fmt.Sprintf("%s: %s: %s", p.File, p.Field, p.Msg)
	}
	return p.File + ": " + p.Msg
}

// Problems are all the faults found, in reading order.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err returns the problems as an error of kind Invalid, or nil when there are none.
// errors.As finds the Problems in it.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Field, b.Field), cmp.Compare(a.Msg, b.Msg))
	})
	return delivery.Wrap(delivery.Invalid, "", slices.Compact(ps))
}

// Locate gives the problems of documents the places where those stand in their
// files: what a server refuses by field is shown to people by line.
func Locate(ps Problems, parsed []Parsed) Problems {
	located := slices.Clone(ps)
	for i, p := range located {
		j := slices.IndexFunc(parsed, func(d Parsed) bool { return ref(d.Document) == p.File })
		if j < 0 || p.Line > 0 {
			continue
		}
		at := nearestPlace(parsed[j].at, p.Field)
		located[i].File, located[i].Line, located[i].Column = parsed[j].File, at.line, at.column
	}
	return located
}

// nearestPlace returns the place of a field, or of the nearest one around it that
// was written.
func nearestPlace(at map[string]position, field string) position {
	for field != "" {
		if p, ok := at[field]; ok {
			return p
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return at[""]
}

// position is a place in a file; line and column count from 1.
type position struct{ line, column int }
