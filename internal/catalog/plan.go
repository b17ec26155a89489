package catalog

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Plan compares the stored documents with those that a manager wants, and returns
// what to change. With prune, documents of the manager that it no longer wants are
// deleted; another manager's are never touched.
//
// Everything is checked, the catalog as it would be afterwards too: the Diff can be
// committed whole, or there is an error. Errors: Invalid, holding Problems by
// document and field (see Locate); Conflict when another manager keeps a document.
func Plan(have, want []delivery.Document, manager string, prune bool) (Diff, error) {
	if manager == "" || manager == BuiltinManager {
		return Diff{}, delivery.E(delivery.Invalid, fmt.Sprintf("%q cannot manage documents: name the source that they come from", manager))
	}
	want, err := recheckAll(want, manager)
	if err != nil {
		return Diff{}, err
	}
	if err := refuseOthers(have, want, manager); err != nil {
		return Diff{}, err
	}
	diff := compare(have, want, manager, prune)
	after, err := NewSet(0, diff.applied(have))
	if err != nil {
		return Diff{}, err
	}
	if err := after.Check(); err != nil {
		return Diff{}, err
	}
	before, err := NewSet(0, have)
	if err != nil {
		return Diff{}, err
	}
	diff.Moves = moves(before, after)
	diff.after = after
	return diff, nil
}

// moves are by name. An Environment of this machine may be deleted: what runs is seen there
// without one too.
func moves(before, after *Set) (list []Move) {
	for _, name := range sorted(before.Environments) {
		old := before.Environments[name]
		now, kept := after.Environments[name]
		gone := !kept && old.Cluster != ""
		if gone || kept && (old.Cluster != now.Cluster || old.Namespace != now.Namespace) {
			list = append(list, Move{Env: name, Deleted: gone, Apps: after.Apps})
		}
	}
	return list
}

func recheckAll(docs []delivery.Document, manager string) ([]delivery.Document, error) {
	var problems Problems
	checked := make([]delivery.Document, len(docs))
	seen := make(map[string]bool, len(docs))
	for i, d := range docs {
		c, ps := recheck(d)
		problems = append(problems, ps...)
		if seen[ref(d)] {
			problems = append(problems, Problem{File: ref(d), Field: "metadata.name", Msg: "the document is there twice: remove one"})
		}
		seen[ref(d)] = true
		c.Manager, c.Version = manager, 0
		checked[i] = c
	}
	return checked, problems.Err()
}

func refuseOthers(have, want []delivery.Document, manager string) error {
	stored := byRef(have)
	var lines []string
	for _, w := range want {
		if h, ok := stored[ref(w)]; ok && h.Manager != manager {
			lines = append(lines, fmt.Sprintf("%s is managed by %q: change it there, or delete it there first", ref(w), h.Manager))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	slices.Sort(lines)
	return delivery.E(delivery.Conflict, strings.Join(lines, "\n"))
}

func compare(have, want []delivery.Document, manager string, prune bool) Diff {
	var d Diff
	stored, builtin, wanted := byRef(have), byRef(Builtin()), byRef(want)
	for _, w := range want {
		h, exists := stored[ref(w)]
		b, overrides := builtin[ref(w)]
		switch {
		case !exists && overrides:
			d.add(Entry{Op: OpCreate, Kind: w.Kind, Name: w.Name, Builtin: true, Fields: compareSpecs(b.Spec, w.Spec)}, w)
		case !exists:
			d.add(Entry{Op: OpCreate, Kind: w.Kind, Name: w.Name}, w)
		case bytes.Equal(h.Spec, w.Spec):
			d.Entries = append(d.Entries, Entry{Op: OpNone, Kind: w.Kind, Name: w.Name})
		default:
			w.Version = h.Version
			d.add(Entry{Op: OpUpdate, Kind: w.Kind, Name: w.Name, Fields: compareSpecs(h.Spec, w.Spec)}, w)
		}
	}
	for _, h := range have {
		if _, kept := wanted[ref(h)]; prune && !kept && h.Manager == manager {
			_, builtin := builtin[ref(h)]
			d.add(Entry{Op: OpDelete, Kind: h.Kind, Name: h.Name, Builtin: builtin}, h)
		}
	}
	d.sort()
	return d
}

func byRef(docs []delivery.Document) map[string]delivery.Document {
	m := make(map[string]delivery.Document, len(docs))
	for _, d := range docs {
		m[ref(d)] = d
	}
	return m
}

// applied returns the documents as they are once the diff is committed.
func (d Diff) applied(have []delivery.Document) []delivery.Document {
	changed := make(map[string]bool, len(d.Changes))
	var docs []delivery.Document
	for _, c := range d.Changes {
		changed[ref(c.Document)] = true
		if !c.Delete {
			docs = append(docs, c.Document)
		}
	}
	for _, h := range have {
		if !changed[ref(h)] {
			docs = append(docs, h)
		}
	}
	return docs
}

func (d *Diff) add(e Entry, doc delivery.Document) {
	d.Entries = append(d.Entries, e)
	d.Changes = append(d.Changes, delivery.DocumentChange{Document: doc, Delete: e.Op == OpDelete})
}

func (d *Diff) sort() {
	slices.SortFunc(d.Entries, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	slices.SortFunc(d.Changes, func(a, b delivery.DocumentChange) int {
		return cmp.Or(cmp.Compare(a.Document.Kind, b.Document.Kind), cmp.Compare(a.Document.Name, b.Document.Name))
	})
}
