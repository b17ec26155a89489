package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

// mayMove refuses to take an Environment away from Apps that run in it: its new place knows
// nothing of them, and nobody would look after the old one.
func (e *Engine) mayMove(ctx context.Context, moves []catalog.Move) error {
	for _, m := range moves {
		apps, err := e.runningIn(ctx, m)
		switch {
		case err != nil:
			return err
		case len(apps) == 0:
		case m.Deleted:
			return delivery.E(delivery.Conflict, fmt.Sprintf("environment %s cannot be deleted while apps run in its cluster (%s), since nobody would look after them: delete these apps first, or keep it", m.Env, few(apps)))
		default:
			return delivery.E(delivery.Conflict, fmt.Sprintf("environment %s cannot move to another cluster or namespace while apps run in it (%s), since they would be left behind: make a new environment there, release to it with `shiplock release create APP --env NEW --from %[1]s`, and keep this one until nobody asks it any more", m.Env, few(apps)))
		}
	}
	return nil
}

// runningIn are the Apps that something of is, or is to be, in the old place.
func (e *Engine) runningIn(ctx context.Context, m catalog.Move) (apps []string, err error) {
	for _, app := range slices.Sorted(maps.Keys(m.Apps)) {
		t, err := e.store.Target(ctx, app, m.Env)
		if err != nil {
			return nil, err
		}
		if t.Desired.Stable != nil || t.Desired.Canary != nil {
			apps = append(apps, app)
		}
	}
	return apps, nil
}

// few are the first names of a list that may be long.
func few(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
