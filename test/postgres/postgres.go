// Package postgres runs a throwaway PostgreSQL from the machine's own binaries, for
// tests.
package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// ErrMissing says that this machine has no PostgreSQL to run.
var ErrMissing = errors.New("no PostgreSQL on this machine: install the package postgresql")

// Mode is how a server is shut down.
type Mode syscall.Signal

const (
	// Fast rolls back what is under way; Immediate is like a crash.
	Fast      = Mode(syscall.SIGINT)
	Immediate = Mode(syscall.SIGQUIT)
)

// Server is a PostgreSQL that listens on a socket in its own directory. It ends
// with the process that started it.
type Server struct {
	dir     string
	bin     string
	owner   *syscall.Credential // nil: this user
	options []string
	cmd     *exec.Cmd
	ended   chan struct{}
	names   atomic.Int64
}

// Start makes and starts a server. Options are settings as name=value. Without
// fsync=off in them it keeps what it has acknowledged. ErrMissing when there is
// none to start.
func Start(options ...string) (*Server, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	// A short path: sockets in it must stay under 108 bytes.
	dir, err := os.MkdirTemp("", "slkpg")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin, options: options}
	if err := s.make(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Up(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// find returns the folder of the newest server programs.
func find() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	all, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(all) == 0 {
		return "", ErrMissing
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	return filepath.Dir(slices.MaxFunc(all, func(a, b string) int { return version(a) - version(b) })), nil
}

// make makes the cluster. PostgreSQL refuses to run as root, so then it runs as
// somebody else.
func (s *Server) make() error {
	if os.Geteuid() == 0 {
		if err := s.disown(); err != nil {
			return err
		}
	}
	out, err := s.command("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	// The user "guarded" has to know a password.
	rules := "local all guarded scram-sha-256\nlocal all all trust\n"
	return os.WriteFile(filepath.Join(s.data(), "pg_hba.conf"), []byte(rules), 0o600)
}

func (s *Server) disown() error {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		s.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return os.Chown(s.dir, uid, gid)
	}
	return errors.New("there is no user to run PostgreSQL as")
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + s.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner, Setpgid: true}
	return cmd
}

// Up starts a server that is down, and waits until it answers.
func (s *Server) Up() error {
	args := []string{"-D", s.data(), "-k", s.dir, "-c", "listen_addresses="}
	for _, o := range s.options {
		args = append(args, "-c", o)
	}
	s.cmd, s.ended = s.command("postgres", args...), make(chan struct{})
	s.cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	var log bytes.Buffer
	s.cmd.Stdout, s.cmd.Stderr = &log, &log
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Pdeathsig goes by the thread; this one dies with the process
		started <- s.cmd.Start()
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	if err := <-started; err != nil {
		close(s.ended)
		return err
	}
	return s.await(&log)
}

func (s *Server) await(log *bytes.Buffer) error {
	db, err := sql.Open("pgx", s.URL("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := db.PingContext(context.Background())
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("PostgreSQL ended: %s", log)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

// Down stops the server and waits for its end.
func (s *Server) Down(m Mode) {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(syscall.Signal(m))
		<-s.ended
	}
}

// Close stops the server and removes everything.
func (s *Server) Close() error {
	s.Down(Immediate)
	return os.RemoveAll(s.dir)
}

// URL names a database of the server.
func (s *Server) URL(database string) string {
	q := url.Values{"host": {s.dir}}
	return "postgres://postgres@/" + database + "?" + q.Encode()
}

// NewDatabase makes an empty database and returns its URL.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.names.Add(1))
	s.Exec(t, "postgres", "CREATE DATABASE "+name)
	return s.URL(name)
}

// Query returns the rows of a query as text.
func (s *Server) Query(t testing.TB, database, query string) [][]string {
	t.Helper()
	db, err := sql.Open("pgx", s.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for rows.Next() {
		row, into := make([]string, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// Exec runs statements in a database of the server.
func (s *Server) Exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	db, err := sql.Open("pgx", s.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", strings.TrimSpace(statement), err)
		}
	}
}
