package engine

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Peers are the other servers on the same database.
type Peers interface {
	// Tell passes on which aggregates changed, and to which version. It does not
	// wait, and may get lost.
	Tell(changed map[delivery.Ref]int64)
	// Hear calls heard with what others tell, until ctx ends; without anything in it,
	// something may have been missed.
	Hear(ctx context.Context, heard func(changed map[delivery.Ref]int64)) error
}

// kindLog names, between servers, the log of an attempt; its version is a line.
const kindLog delivery.AggregateKind = "log"

func logRef(attempt string) delivery.Ref { return delivery.Ref{Kind: kindLog, ID: attempt} }

// hear lets readers here see what was written through another server.
func (e *Engine) hear(changed map[delivery.Ref]int64) {
	if len(changed) == 0 {
		e.cfg.Logs.Refresh()
		e.live.missed()
		return
	}
	var attempts []string
	for ref := range changed {
		if ref.Kind == kindLog {
			attempts = append(attempts, ref.ID)
			delete(changed, ref)
		}
	}
	if len(attempts) > 0 {
		e.cfg.Logs.Refresh(attempts...)
	}
	e.live.publish(changed)
}

// closeLog ends the log of an attempt that is over.
func (e *Engine) closeLog(ctx context.Context, attempt, last string) error {
	err := e.cfg.Logs.Close(ctx, attempt, last)
	if err == nil {
		e.store.Tell(map[delivery.Ref]int64{logRef(attempt): 0})
	}
	return err
}
