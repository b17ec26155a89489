package auth

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/shiplock/shiplock/internal/delivery"
)

// few are users in memory.
type few map[string]delivery.User

func (f few) User(_ context.Context, name string) (delivery.User, error) {
	u, ok := f[name]
	if !ok {
		return u, delivery.E(delivery.NotFound, "no user")
	}
	return u, nil
}

func (f few) Rehash(_ context.Context, name, old, fresh string) error {
	u := f[name]
	if u.Password != old {
		return delivery.E(delivery.Conflict, "changed")
	}
	u.Password = fresh
	f[name] = u
	return nil
}

var quick = Params{Passes: 1, MemoryKiB: 64, Lanes: 1}

func TestPasswordHash(t *testing.T) {
	h := newHasher(quick)
	kept, err := h.hash(t.Context(), "correct horse")
	if err != nil || !strings.HasPrefix(kept, "$argon2id$v=19$m=64,t=1,p=1$") || strings.Contains(kept, "horse") {
		t.Fatalf("%s, %v", kept, err)
	}
	if again, _ := h.hash(t.Context(), "correct horse"); again == kept {
		t.Error("two hashes of one password are the same: there is no salt")
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horsf": false, "": false, "correct horse ": false} {
		if ok, stale, err := h.verify(t.Context(), kept, password); ok != want || stale || err != nil {
			t.Errorf("%q: %v %v %v", password, ok, stale, err)
		}
	}
	for _, damaged := range []string{"x", "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$c2hvcnQ", strings.Replace(kept, "v=19", "v=16", 1), strings.Replace(kept, "m=64", "m=99999999", 1), strings.Replace(kept, "t=1", "t=0", 1)} {
		if ok, _, err := h.verify(t.Context(), damaged, "correct horse"); ok || err == nil {
			t.Errorf("%s is taken", damaged)
		}
	}
	// As the reference implementation writes it: `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1`.
	key := argon2.IDKey([]byte("password"), []byte("somesalt"), 2, 64<<10, 1, keyLen)
	if got := encode(Params{2, 64 << 10, 1}, []byte("somesalt"), key); got != "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc" {
		t.Error(got)
	}
}

// A password whose hash was made with other parameters gets a new one when it is next
// shown.
func TestRehash(t *testing.T) {
	old, _ := newHasher(quick).hash(t.Context(), "correct horse")
	users := few{"ann": {Name: "ann", Kind: delivery.ActorUser, Password: old}}
	k := New(Config{Users: users, Params: Params{Passes: 2, MemoryKiB: 128, Lanes: 1}})
	if _, err := k.Password(t.Context(), "ann", "wrong"); err == nil || users["ann"].Password != old {
		t.Errorf("a wrong password: %v, %s", err, users["ann"].Password)
	}
	if _, err := k.Password(t.Context(), "ann", "correct horse"); err != nil || !strings.Contains(users["ann"].Password, "m=128,t=2") {
		t.Errorf("%v, %s", err, users["ann"].Password)
	}
	fresh := users["ann"].Password
	if _, err := k.Password(t.Context(), "ann", "correct horse"); err != nil || users["ann"].Password != fresh {
		t.Errorf("it is made again: %v", err)
	}
}

// Whoever is named, one key is derived with the same parameters: how long it takes says
// nothing about who there is.
func TestUnknownUsersTakeAsLong(t *testing.T) {
	kept, _ := newHasher(quick).hash(t.Context(), "correct horse")
	k := New(Config{Params: quick, Users: few{
		"ann":  {Name: "ann", Kind: delivery.ActorUser, Password: kept},
		"out":  {Name: "out", Kind: delivery.ActorUser, Password: kept, Disabled: true},
		"ci":   {Name: "ci", Kind: delivery.ActorService},
		"oidc": {Name: "oidc", Kind: delivery.ActorUser, Identity: &delivery.Identity{Issuer: "https://id"}},
	}})
	derive, asked := k.hasher.derive, []Params{}
	k.hasher.derive = func(password string, salt []byte, p Params) []byte {
		asked = append(asked, p)
		if len(salt) != saltLen {
			t.Errorf("a salt of %d bytes", len(salt))
		}
		return derive(password, salt, p)
	}
	for _, name := range []string{"ann", "out", "ci", "oidc", "nobody", ""} {
		for _, password := range []string{"wrong", "correct horse", ""} {
			asked = nil
			_, err := k.Password(t.Context(), name, password)
			if good := name == "ann" && password == "correct horse"; (err == nil) != good {
				t.Errorf("%s with %q: %v", name, password, err)
			}
			if !slices.Equal(asked, []Params{quick}) {
				t.Errorf("%s with %q derives %v", name, password, asked)
			}
			if err != nil && delivery.KindOf(err) != delivery.Denied {
				t.Errorf("%s with %q: %v", name, password, err)
			}
		}
	}
}

// Many log-ins at once take the memory of two, and those too many are told to wait.
func TestPasswordsAreCheckedFewAtOnce(t *testing.T) {
	h := newHasher(quick)
	begun, end := make(chan struct{}, hashing+queue+1), make(chan struct{})
	h.derive = func(string, []byte, Params) []byte {
		begun <- struct{}{}
		<-end
		return make([]byte, keyLen)
	}
	var all sync.WaitGroup
	verdicts := make(chan error, hashing+queue+1)
	for range hashing + queue + 1 {
		all.Go(func() {
			_, err := h.hash(t.Context(), "x")
			verdicts <- err
		})
	}
	if err := <-verdicts; delivery.KindOf(err) != delivery.Unavailable { // the one too many
		t.Errorf("%v", err)
	}
	for range hashing {
		<-begun
	}
	if n := len(begun); n != 0 {
		t.Errorf("%d more than %d are under way", n, hashing)
	}
	close(end)
	all.Wait()
	for range hashing + queue {
		if err := <-verdicts; err != nil {
			t.Error(err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range hashing {
		h.slots <- struct{}{}
	}
	if _, err := h.hash(gone, "x"); err == nil {
		t.Error("who has gone is waited for")
	}
}

// Nothing here compares a secret, or what is kept of one, but in constant time: tokens
// are found by their hash. A comparison with == of anything that is named like a secret
// fails this test.
func TestSecretsAreNotCompared(t *testing.T) {
	secrets := []string{"secret", "password", "token", "hash", "code", "state", "nonce", "key", "got", "want", "kept"}
	var named func(e ast.Expr) bool
	named = func(e ast.Expr) bool {
		var name string
		switch e := e.(type) {
		case *ast.Ident:
			name = e.Name
		case *ast.SelectorExpr:
			name = e.Sel.Name
		case *ast.CallExpr:
			f, _ := e.Fun.(*ast.Ident)
			if f != nil && f.Name == "Hash" {
				return true
			}
			if _, bytes := e.Fun.(*ast.ArrayType); (bytes || f != nil && f.Name == "string") && len(e.Args) == 1 { // a conversion
				return named(e.Args[0])
			}
		}
		return slices.Contains(secrets, strings.ToLower(name))
	}
	files := 0
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				_, constant := n.Y.(*ast.BasicLit)
				if (n.Op == token.EQL || n.Op == token.NEQ) && !constant && (named(n.X) || named(n.Y)) {
					t.Errorf("%s: compares a secret", set.Position(n.Pos()))
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Equal" || f.Sel.Name == "EqualFold" || f.Sel.Name == "Compare") && slices.ContainsFunc(n.Args, named) {
					t.Errorf("%s: compares a secret", set.Position(n.Pos()))
				}
			}
			return true
		})
		return nil
	})
	if err != nil || files < 6 {
		t.Errorf("%d files, %v", files, err)
	}
}

// Tokens that share all but their last digit are kept as hashes that share nothing.
func TestTokensAreFoundByHash(t *testing.T) {
	one := newSecret(tokenPrefix)
	other := one[:len(one)-1] + string('0'+('1'-one[len(one)-1]+75)%2)
	if other == one {
		other = one[:len(one)-1] + "z"
	}
	same := 0
	for i := range Hash(one) {
		if Hash(one)[i] == Hash(other)[i] {
			same++
		}
	}
	if same > 24 { // of 64 hexadecimal digits, 4 by chance
		t.Errorf("%d of 64 digits are the same", same)
	}
}
