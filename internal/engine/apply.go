package engine

import (
	"context"
	"slices"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

// ApplyCatalog is a set of documents from one source directory, or the console.
type ApplyCatalog struct {
	Manager   string              `json:"manager"`
	Documents []delivery.Document `json:"documents"`
	Prune     bool                `json:"prune,omitempty"`
	Dry       bool                `json:"dry,omitempty"`
}

// Apply changes the catalog to the documents of one manager. With dry it only
// says what would change. Each document takes the permission of its kind; all that
// differ are changed, or none.
func (e *Engine) Apply(ctx context.Context, p Principal, ask ApplyCatalog) (catalog.Diff, error) {
	var diff catalog.Diff
	var have []delivery.Document
	plan := func(ctx context.Context) (set *catalog.Set, err error) {
		if set, err = e.catalogue.current(ctx); err != nil {
			return nil, err
		}
		if err := mayCompare(set, p, ask); err != nil {
			return nil, err
		}
		if have, err = e.store.Documents(ctx); err != nil {
			return nil, err
		}
		if diff, err = catalog.Plan(have, ask.Documents, ask.Manager, ask.Prune); err != nil {
			return nil, err
		}
		if diff, err = diff.Warn(e.now()); err != nil {
			return nil, err
		}
		return set, e.mayMove(ctx, diff.Moves)
	}
	if ask.Dry {
		_, err := plan(ctx)
		return diff, err
	}
	return diff, e.change(ctx, p, func(d *draft) error {
		set, err := plan(ctx)
		if err != nil {
			return err
		}
		edits, err := editsOf(set, p, diff.Changes)
		if err != nil {
			return err
		}
		d.extra.Documents = diff.Changes
		if err := e.wakeOpenReleases(ctx, d); err != nil {
			return err
		}
		for _, e := range edits {
			d.extra.Audit = append(d.extra.Audit, delivery.AuditEntry{
				At: d.now, Actor: p.Actor, Command: e.command, Subject: e.subject(), Rule: e.rule, Detail: ask.Manager,
				Changes: documentDifferences(have, e.changes),
			})
		}
		return nil
	})
}

// mayCompare refuses documents that the actor may not even see, since a comparison
// shows what is in them.
func mayCompare(set *catalog.Set, p Principal, ask ApplyCatalog) error {
	view := set.Policy.View(p.Actor, p.Grants, delivery.CmdRead)
	refusal := func(cmd delivery.Command, on delivery.Object) error {
		if view.Touches(on) {
			return nil
		}
		if ask.Dry {
			cmd = delivery.CmdRead
		}
		return set.Policy.Decide(p.Actor, p.Grants, cmd, on).Err()
	}
	for _, doc := range ask.Documents {
		if err := refusal(catalog.Permission(doc.Kind), set.Place(catalog.ObjectOf(doc))); err != nil {
			return err
		}
	}
	return refusal(delivery.CmdApply, delivery.Everything("catalog"))
}

// edit are the documents that change by one permission, which one rule gives.
type edit struct {
	command delivery.Command
	rule    string
	names   []string
	changes []delivery.DocumentChange
}

func (e edit) subject() string {
	if len(e.names) == 1 {
		return e.names[0]
	}
	return "catalog"
}

// editsOf authorises each change, of a document as it is and as it will be: an App that
// goes to another team takes the permission of both.
func editsOf(set *catalog.Set, p Principal, changes []delivery.DocumentChange) ([]edit, error) {
	var all []edit
	for _, c := range changes {
		cmd, after := catalog.Permission(c.Document.Kind), catalog.ObjectOf(c.Document)
		d := set.Policy.Decide(p.Actor, p.Grants, cmd, set.Place(after))
		if d.Allowed && !c.Delete {
			d = set.Policy.Decide(p.Actor, p.Grants, cmd, after)
		}
		if err := d.Err(); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(e edit) bool { return e.command == cmd && e.rule == d.Rule })
		if i < 0 {
			i, all = len(all), append(all, edit{command: cmd, rule: d.Rule})
		}
		all[i].names, all[i].changes = append(all[i].names, after.Name), append(all[i].changes, c)
	}
	return all, nil
}
