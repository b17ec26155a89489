package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/store"
	"github.com/shiplock/shiplock/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Database {
		return replicas(store.Config{Path: filepath.Join(t.TempDir(), "shiplock.db")})
	})
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Database {
		return replicas(store.Config{URL: database(t)})
	})
}

func replicas(cfg store.Config) storetest.Database {
	return func(t *testing.T, o storetest.Options) storetest.Store {
		cfg := cfg
		cfg.Now, cfg.Lease = o.Now, o.Lease
		return open(t, cfg)
	}
}

// open opens a store that is closed with the test.
func open(t testing.TB, cfg store.Config) *store.Store {
	t.Helper()
	if cfg.Path == "" && cfg.URL == "" {
		cfg.Path = filepath.Join(t.TempDir(), "shiplock.db")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.NewID = newID
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func commit(t testing.TB, s *store.Store, c delivery.Change) []delivery.Claim {
	t.Helper()
	claims, err := s.Commit(t.Context(), &c)
	if err != nil {
		t.Fatal(err)
	}
	return claims
}
