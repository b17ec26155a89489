package auth

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// useEvery is how often it is written down which tokens were used.
	useEvery = time.Minute
	// maxUsed bounds what is remembered in between; who is forgotten is written down at
	// the next use.
	maxUsed = 50_000
	// lastWrite limits what is written when the server ends.
	lastWrite = 3 * time.Second
)

// use notes that a token is used, and tells whether it still may be: a session that
// nobody used for long is over.
func (k *Keeper) use(t delivery.Token) bool {
	now := k.cfg.Now().UTC()
	k.mu.Lock()
	defer k.mu.Unlock()
	last := t.CreatedAt
	for _, at := range []time.Time{t.UsedAt, k.used[t.ID]} {
		if at.After(last) {
			last = at
		}
	}
	if t.Kind == delivery.TokenSession && now.Sub(last) > IdleLife {
		return false
	}
	if len(k.used) < maxUsed && now.Sub(t.UsedAt) >= useEvery {
		k.used[t.ID] = now
	}
	return true
}

// WriteUses writes down which tokens were used since it was last called.
func (k *Keeper) WriteUses(ctx context.Context) error {
	k.mu.Lock()
	used := k.used
	k.used = map[string]time.Time{}
	k.mu.Unlock()
	if len(used) == 0 {
		return nil
	}
	err := k.cfg.Tokens.UseTokens(ctx, used)
	if err != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		maps.Copy(used, k.used)
		k.used = used
	}
	return err
}

// Run writes uses down until ctx ends, and then for a last time.
func (k *Keeper) Run(ctx context.Context, log *slog.Logger) error {
	t := time.NewTicker(useEvery)
	defer t.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrite)
		if err := k.WriteUses(last); err != nil {
			log.Warn("write down which tokens were used", "err", err)
		}
		cancel()
	}
	return nil
}
