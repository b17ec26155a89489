package store_test

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/shiplock/shiplock/test/postgres"
)

// shared is one server for all tests of the package, each in a database of its own.
// Tests that restart it are not parallel.
type shared struct {
	once   sync.Once
	server *postgres.Server
	err    error
}

func (s *shared) start() {
	s.once.Do(func() {
		s.server, s.err = postgres.Start("fsync=off", "max_connections=400", "shared_buffers=16MB")
	})
}

var throwaway shared

// database returns a new database's URL, or skips the test and says so.
func database(t testing.TB) string {
	t.Helper()
	throwaway.start()
	if errors.Is(throwaway.err, postgres.ErrMissing) {
		t.Skip(throwaway.err)
	}
	if throwaway.err != nil {
		t.Fatal(throwaway.err)
	}
	return throwaway.server.NewDatabase(t)
}

// restart takes the server away and brings it back.
func (s *shared) restart(t *testing.T, m postgres.Mode) {
	t.Helper()
	s.server.Down(m)
	if err := s.server.Up(); err != nil {
		t.Fatal(err)
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if throwaway.server != nil {
		if err := throwaway.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
