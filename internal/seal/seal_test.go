package seal_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/seal"
)

// shelf keeps secrets in memory.
type shelf map[string]delivery.Secret

func (s shelf) Secret(_ context.Context, name string) (delivery.Secret, error) {
	got, ok := s[name]
	if !ok {
		return got, delivery.E(delivery.NotFound, "there is no secret "+name)
	}
	return got, nil
}

// put seals a value in the place of another.
func (s shelf) put(t *testing.T, v *seal.Vault, name, value string) {
	t.Helper()
	key, err := v.NewestKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secret := delivery.Secret{Name: name, Revision: s[name].Revision + 1}
	if secret.Sealed, err = v.Seal(t.Context(), key, secret, []byte(value)); err != nil {
		t.Fatal(err)
	}
	s[name] = secret
}

func open(t *testing.T) (shelf, *seal.Vault, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "master.key")
	keys, err := seal.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := shelf{}
	return s, seal.NewVault(s, keys), path
}

func wantOpen(t *testing.T, v *seal.Vault, name, want string) {
	t.Helper()
	got, err := v.Open(t.Context(), name)
	if err != nil || string(got) != want {
		t.Errorf("%s opens to %q, %v", name, got, err)
	}
}

func TestSealAndOpen(t *testing.T) {
	s, v, path := open(t)
	s.put(t, v, "a", "first")
	s.put(t, v, "b", "first")
	wantOpen(t, v, "a", "first")
	if bytes.Equal(s["a"].Sealed.Box, s["b"].Sealed.Box) || bytes.Contains(s["a"].Sealed.Box, []byte("first")) {
		t.Error("the same value is seen to be the same, or is seen")
	}
	again, err := seal.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wantOpen(t, seal.NewVault(s, again), "a", "first")
	_, err = v.Open(t.Context(), "c")
	if delivery.KindOf(err) != delivery.NotFound {
		t.Errorf("a secret that is not there: %v", err)
	}
}

// Whoever writes to the database gains nothing by exchanging or changing rows.
func TestExchangedRowsDoNotOpen(t *testing.T) {
	for what, meddle := range map[string]func(shelf){
		"exchanged": func(s shelf) {
			a, b := s["a"], s["b"]
			a.Sealed, b.Sealed = b.Sealed, a.Sealed
			s["a"], s["b"] = a, b
		},
		"older": func(s shelf) {
			a := s["a"]
			a.Revision--
			s["a"] = a
		},
		"box of another": func(s shelf) {
			a := s["a"]
			a.Sealed.Box = s["b"].Sealed.Box
			s["a"] = a
		},
		"altered": func(s shelf) {
			a := s["a"]
			a.Sealed.Box = bytes.Clone(a.Sealed.Box)
			a.Sealed.Box[len(a.Sealed.Box)-1] ^= 1
			s["a"] = a
		},
		"cut": func(s shelf) {
			a := s["a"]
			a.Sealed.Box = a.Sealed.Box[:5]
			s["a"] = a
		},
	} {
		t.Run(what, func(t *testing.T) {
			s, v, _ := open(t)
			s.put(t, v, "a", "top-secret")
			s.put(t, v, "a", "top-secret")
			s.put(t, v, "b", "other")
			meddle(s)
			got, err := v.Open(t.Context(), "a")
			if err == nil || got != nil || !strings.Contains(err.Error(), "was changed or exchanged") || strings.Contains(err.Error(), "top-secret") {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// Both keys open while secrets are wrapped again, in every state in between.
func TestRotation(t *testing.T) {
	s, v, path := open(t)
	for _, name := range []string{"a", "b", "c"} {
		s.put(t, v, name, "value of "+name)
	}
	first := s["a"].Sealed.Key
	second, err := v.MakeKey(t.Context())
	if err != nil || second == first {
		t.Fatalf("%s, %v", second, err)
	}
	for _, name := range []string{"a", "b", "c"} {
		secret := s[name]
		box := bytes.Clone(secret.Sealed.Box)
		if secret.Sealed, err = v.Rewrap(t.Context(), second, secret); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(box, secret.Sealed.Box) || secret.Sealed.Key != second {
			t.Error("the value itself was sealed again, or is below the other key")
		}
		s[name] = secret
		fresh, err := seal.OpenFile(path) // as after a crash
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b", "c"} {
			wantOpen(t, seal.NewVault(s, fresh), name, "value of "+name)
		}
	}
	third, err := v.MakeKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := v.RetireKeys(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	wantOpen(t, v, "a", "value of a")
	secret := delivery.Secret{Name: "d"}
	if _, err := v.Seal(t.Context(), third, secret, []byte("x")); err != nil {
		t.Errorf("a key that is newer than the one to stay was let go of: %v", err)
	}
	_, err = v.Seal(t.Context(), first, secret, []byte("x"))
	if delivery.KindOf(err) != delivery.Unavailable {
		t.Errorf("the old key is still there: %v", err)
	}
}

func TestKeyFile(t *testing.T) {
	_, _, path := open(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file of keys: %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	key := lines[len(lines)-1]
	for name, broken := range map[string]string{"empty": "", "short": "c2hvcnQ=\n", "cut": strings.TrimRight(key, "=")[:30] + "\n"} {
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.OpenFile(path); delivery.KindOf(err) != delivery.Invalid || strings.Contains(err.Error(), key[:20]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.OpenFile(path); delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("others may read it: %v", err)
	}
}

// Servers that start together in one directory agree on the key.
func TestFirstStartOfMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	names := make([]string, 8)
	var wg sync.WaitGroup
	for i := range names {
		wg.Go(func() {
			f, err := seal.OpenFile(path)
			if err == nil {
				names[i], err = f.Newest(t.Context())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, name := range names {
		if name != names[0] {
			t.Fatalf("keys %v", names)
		}
	}
}

func TestGivenKeys(t *testing.T) {
	one := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	two := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{2}, 32))
	before, err := seal.ParseGiven(one)
	if err != nil {
		t.Fatal(err)
	}
	s := shelf{}
	s.put(t, seal.NewVault(s, before), "a", "value")
	after, err := seal.ParseGiven(two + " " + one)
	if err != nil {
		t.Fatal(err)
	}
	v := seal.NewVault(s, after)
	wantOpen(t, v, "a", "value")
	if made, err := v.MakeKey(t.Context()); err != nil || made == s["a"].Sealed.Key {
		t.Errorf("the newest given key is %s, %v", made, err)
	}
	wrong, err := seal.ParseGiven(two)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = seal.NewVault(s, wrong).Open(t.Context(), "a"); delivery.KindOf(err) != delivery.Unavailable {
		t.Errorf("without the key: %v", err)
	}
	for _, bad := range []string{"", "x", one[:20], one + "A"} {
		if _, err := seal.ParseGiven(bad); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
