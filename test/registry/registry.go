// Package registry runs a throwaway OCI registry from the machine's own program, with
// authentication and TLS by a private CA, for tests.
package registry

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shiplock/shiplock/test/harness"
)

// Users of a registry that knows passwords, with their hashes (bcrypt).
const (
	User, Password         = "ci", "secret-of-the-tests"
	ShopUser, ShopPassword = "shop", "shops-own-password"

	htpasswd = User + ":$2y$05$abcdefghijklmnopqrstuu6o3dlyWnvEiDh3K/MBghWoid.93Z6L2\n" +
		ShopUser + ":$2y$05$abcdefghijklmnopqrstuuF1MVBBiJ2HcmRLGMpC7dNy0fCblRY6e\n"
)

// Server is a registry of the distribution project.
type Server struct {
	Host string
	CA   *Authority
	// Dir is where it keeps everything.
	Dir string

	program string
	cmd     *exec.Cmd
	ended   chan struct{}
	log     safeBuffer
}

// settings of a registry; the rest of it is its auth.
const settings = `version: 0.1
log: {level: warn, formatter: text, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: %[1]s/data}
  delete: {enabled: %[4]t}
http:
  addr: %[2]s
  secret: the-tests-secret
  relativeurls: true
  tls: {certificate: %[1]s/cert.pem, key: %[1]s/key.pem}
auth:
%[3]s`

// StartWithPasswords starts a registry that knows its users' passwords.
func StartWithPasswords(t testing.TB, ca *Authority) *Server {
	t.Helper()
	return start(t, ca, "  htpasswd: {realm: tests, path: DIR/htpasswd}\n", true)
}

// StartWithoutDelete starts one that never deletes anything.
func StartWithoutDelete(t testing.TB, ca *Authority) *Server {
	t.Helper()
	return start(t, ca, "  htpasswd: {realm: tests, path: DIR/htpasswd}\n", false)
}

// StartWithTokens starts a registry that takes the tokens of a service only.
func StartWithTokens(t testing.TB, s *Tokens) *Server {
	t.Helper()
	return start(t, s.ca, fmt.Sprintf("  token: {realm: %q, service: %q, issuer: %q, rootcertbundle: DIR/ca.pem}\n", s.url+"/token", service, issuer), true)
}

func start(t testing.TB, ca *Authority, auth string, deletes bool) *Server {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("no registry on this machine: install the package docker-registry")
	}
	s := &Server{Host: harness.FreeAddr(t), CA: ca, Dir: t.TempDir(), program: program}
	cert, key := ca.files(t)
	for name, text := range map[string][]byte{
		"cert.pem": cert, "key.pem": key, "ca.pem": ca.PEM, "htpasswd": []byte(htpasswd),
		"config.yml": fmt.Appendf(nil, settings, s.Dir, s.Host, strings.ReplaceAll(auth, "DIR", s.Dir), deletes),
	} {
		if err := os.WriteFile(filepath.Join(s.Dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		s.Down()
		if t.Failed() {
			log := s.Log()
			t.Logf("the registry logged:\n%s", log[max(0, len(log)-4000):])
		}
	})
	if err := s.Up(); err != nil {
		t.Fatal(err)
	}
	return s
}

// Up starts a registry that is down, and waits until it answers.
func (s *Server) Up() error {
	s.cmd, s.ended = exec.Command(s.program, "serve", filepath.Join(s.Dir, "config.yml")), make(chan struct{})
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		defer close(s.ended)
		runtime.LockOSThread() // Pdeathsig goes by the thread; this one dies with the process
		err := s.cmd.Start()
		started <- err
		if err == nil {
			_ = s.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	return s.await()
}

// Down is SIGKILL, and waits for the end.
func (s *Server) Down() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

func (s *Server) await() error {
	client := s.Client()
	deadline := time.Now().Add(30 * time.Second)
	for {
		resp, err := client.Get("https://" + s.Host + "/")
		if err == nil {
			return resp.Body.Close()
		}
		select {
		case <-s.ended:
			return fmt.Errorf("the registry ended: %s", s.Log())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return errors.Join(errors.New("the registry does not answer"), err)
		}
	}
}

// Client speaks to the registry, and logs in nowhere.
func (s *Server) Client() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: s.CA.config()}}
}

// Status is what the registry answers to a request with a bearer token.
func (s *Server) Status(t testing.TB, method, path, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+s.Host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json")
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// Log is what the registry has logged.
func (s *Server) Log() string { return s.log.String() }

// safeBuffer is written to while it is read.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
