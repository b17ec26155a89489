package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Diff is what applying documents changes. Entries are for people, Changes for the
// store, with the versions for compare-and-swap; both by kind and name.
type Diff struct {
	Entries []Entry                   `json:"entries"`
	Changes []delivery.DocumentChange `json:"-"`
	// Moves are the Environments that are elsewhere afterwards.
	Moves []Move `json:"-"`
	// Warnings say what is good and may not stay so.
	Warnings []delivery.Cause `json:"warnings,omitempty"`

	after *Set
}

// Move is an Environment whose Apps are run in another place than before, or in none
// since it is deleted: what runs there must not be forgotten.
type Move struct {
	Env     string
	Deleted bool
	// Apps are those of the catalog afterwards.
	Apps map[string]delivery.App
}

// Warn returns the diff with what is to be known of Windows and Calendars at a time, if
// any of them changes.
func (d Diff) Warn(now time.Time) (Diff, error) {
	if d.after == nil || !slices.ContainsFunc(d.Entries, func(e Entry) bool { return e.Kind == KindWindow || e.Kind == KindCalendar }) {
		return d, nil
	}
	schedule, err := d.after.Schedule()
	if err != nil {
		return d, err
	}
	d.Warnings = nil
	for _, m := range schedule.Missing(now) {
		d.Warnings = append(d.Warnings, m.Cause())
	}
	return d, nil
}

// Op is what happens to one document.
type Op string

const (
	OpCreate Op = "create"
	OpUpdate Op = "update"
	OpDelete Op = "delete"
	OpNone   Op = "unchanged"
)

// Entry is what happens to one document.
type Entry struct {
	Op   Op     `json:"op"`
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Builtin says that a built-in document of the same name is overridden by the
	// new one, or is back once this one is deleted.
	Builtin bool          `json:"builtin,omitempty"`
	Fields  []FieldChange `json:"fields,omitempty"`
}

// FieldChange is one changed field. Old or New is empty where there is none.
type FieldChange struct {
	Path string `json:"path"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

// Lines shows the changes, one a line: "~ App/shop  spec.stack: go-1.26 → nodejs-20".
func (d Diff) Lines() []string {
	var lines []string
	for _, e := range d.Entries {
		lines = append(lines, e.lines()...)
	}
	return lines
}

func (e Entry) lines() []string {
	name := e.Kind + "/" + e.Name
	var lines []string
	switch e.Op {
	case OpCreate:
		if e.Builtin {
			name += "  (in place of the built-in one)"
		}
		lines = append(lines, "+ "+name)
	case OpDelete:
		if e.Builtin {
			name += "  (the built-in one is back)"
		}
		return []string{"- " + name}
	case OpNone:
		return nil
	}
	for _, f := range e.Fields {
		lines = append(lines, fmt.Sprintf("~ %s/%s  %s", e.Kind, e.Name, f))
	}
	return lines
}

func (f FieldChange) String() string {
	switch {
	case f.Old == "":
		return fmt.Sprintf("%s: + %s", f.Path, clip(f.New))
	case f.New == "":
		return fmt.Sprintf("%s: - %s", f.Path, clip(f.Old))
	}
	return fmt.Sprintf("%s: %s → %s", f.Path, clip(f.Old), clip(f.New))
}

// Summary counts the changes in one line.
func (d Diff) Summary() string {
	count := make(map[Op]int)
	for _, e := range d.Entries {
		count[e.Op]++
	}
	return fmt.Sprintf("%d created, %d updated, %d deleted, %d unchanged", count[OpCreate], count[OpUpdate], count[OpDelete], count[OpNone])
}

// compareSpecs lists the fields in which two specs differ, by path.
func compareSpecs(old, new json.RawMessage) []FieldChange {
	before, after := flatten(old), flatten(new)
	all := maps.Clone(before)
	maps.Copy(all, after)
	var changes []FieldChange
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if before[path] != after[path] {
			changes = append(changes, FieldChange{Path: path, Old: before[path], New: after[path]})
		}
	}
	return changes
}

// flatten returns the scalars of a spec by path, as people read them.
func flatten(spec json.RawMessage) map[string]string {
	fields := make(map[string]string)
	var v any
	if json.Unmarshal(spec, &v) == nil {
		flattenInto(fields, "spec", v)
	}
	return fields
}

func flattenInto(fields map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			flattenInto(fields, join(path, key), e)
		}
		if len(v) == 0 && path != "spec" {
			fields[path] = "{}"
		}
	case []any:
		for i, e := range v {
			flattenInto(fields, fmt.Sprintf("%s[%d]", path, i), e)
		}
	case string:
		fields[path] = readable(v)
	default:
		fields[path] = fmt.Sprint(v)
	}
}

// readable quotes what would not be clear in a line.
func readable(s string) string {
	if s == "" || strings.TrimSpace(s) != s || strconv.Quote(s) != `"`+s+`"` {
		return strconv.Quote(s)
	}
	return s
}
