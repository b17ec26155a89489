package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func sealedWith(name, key string, revision int64) delivery.Secret {
	return delivery.Secret{
		Name: name, Revision: revision, SetBy: delivery.System(), SetAt: epoch,
		Sealed: delivery.Sealed{Key: key, Wrapped: []byte("wrapped"), Box: []byte(fmt.Sprint("box ", revision))},
	}
}

func (b bench) set(s delivery.Secret) {
	b.t.Helper()
	b.commit(delivery.Change{Secrets: []delivery.SecretChange{{Secret: s}}})
}

func (b bench) tryCommit(c delivery.Change) error {
	_, err := b.Commit(b.t.Context(), &c)
	return err
}

func testSecrets(t *testing.T, db Database) {
	b := start(t, db)
	// Before the master key has a name, nothing is kept.
	b.wantKind(delivery.Conflict, b.tryCommit(delivery.Change{Secrets: []delivery.SecretChange{{Secret: sealedWith("a", "k1", 1)}}}))
	for range 2 {
		if key, err := b.SetMasterKeyOnce(t.Context(), "k1"); key != "k1" || err != nil {
			t.Fatalf("%q, %v", key, err)
		}
	}
	if key, err := b.SetMasterKeyOnce(t.Context(), "k0"); key != "k1" || err != nil {
		t.Fatalf("%q, %v", key, err)
	}
	b.set(sealedWith("b", "k1", 1))
	b.set(sealedWith("a", "k1", 1))
	got, err := b.Secret(t.Context(), "a")
	b.must(err)
	if got.Version != 1 || string(got.Sealed.Box) != "box 1" || got.SetBy != delivery.System() || !got.SetAt.Equal(epoch) {
		t.Errorf("got %+v", got)
	}
	all, err := b.Secrets(t.Context())
	b.must(err)
	if len(all) != 2 || all[0].Name != "a" || all[1].Name != "b" {
		t.Errorf("got %+v", all)
	}
	_, err = b.Secret(t.Context(), "c")
	b.wantKind(delivery.NotFound, err)

	// Compared and swapped like everything else.
	b.wantKind(delivery.Conflict, b.tryCommit(delivery.Change{Secrets: []delivery.SecretChange{{Secret: sealedWith("a", "k1", 2)}}}))
	next := sealedWith("a", "k1", 2)
	next.Version = got.Version
	b.set(next)
	b.wantKind(delivery.Conflict, b.tryCommit(delivery.Change{Secrets: []delivery.SecretChange{{Secret: got, Delete: true}}}))

	// What is sealed with a key that was replaced is refused, before and after.
	b.wantKind(delivery.Conflict, b.tryCommit(delivery.Change{MasterKey: &delivery.MasterKeyChange{From: "k0", To: "k2"}}))
	b.commit(delivery.Change{MasterKey: &delivery.MasterKeyChange{From: "k1", To: "k2"}})
	b.wantKind(delivery.Conflict, b.tryCommit(delivery.Change{Secrets: []delivery.SecretChange{{Secret: sealedWith("c", "k1", 1)}}}))
	if key, err := b.MasterKey(t.Context()); key != "k2" || err != nil {
		t.Errorf("%q, %v", key, err)
	}
	old, err := b.SecretsNotUnder(t.Context(), "k2", 1)
	b.must(err)
	if len(old) != 1 || old[0].Name != "a" {
		t.Errorf("got %+v", old)
	}
	for _, name := range []string{"a", "b"} {
		s, err := b.Secret(t.Context(), name)
		b.must(err)
		s.Sealed.Key = "k2"
		b.set(s)
	}
	if old, err = b.SecretsNotUnder(t.Context(), "k2", 10); len(old) != 0 || err != nil {
		t.Errorf("got %+v, %v", old, err)
	}
	s, err := b.Secret(t.Context(), "a")
	b.must(err)
	b.commit(delivery.Change{Secrets: []delivery.SecretChange{{Secret: s, Delete: true}}})
	_, err = b.Secret(t.Context(), "a")
	b.wantKind(delivery.NotFound, err)
}

// A secret is never left behind under a key that a rotation is about to let go of,
// whoever writes at the same time.
func testSecretsDuringRotation(t *testing.T, db Database) {
	one := start(t, db)
	two := one.other(db)
	if _, err := one.SetMasterKeyOnce(t.Context(), "k0"); err != nil {
		t.Fatal(err)
	}
	const rounds, most = 5, 25
	var over atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		defer over.Store(true)
		for i := range rounds {
			current := fmt.Sprint("k", i+1)
			err := one.tryCommit(delivery.Change{MasterKey: &delivery.MasterKeyChange{From: fmt.Sprint("k", i), To: current}})
			if err != nil {
				t.Error(err)
				return
			}
			for {
				old, err := one.SecretsNotUnder(t.Context(), current, 10)
				if err != nil {
					t.Error(err)
					return
				}
				if len(old) == 0 {
					break
				}
				s := old[0]
				s.Sealed.Key = current
				_ = one.tryCommit(delivery.Change{Secrets: []delivery.SecretChange{{Secret: s}}})
			}
			// From here on the older key is gone.
			if old, err := two.SecretsNotUnder(t.Context(), current, 10); len(old) != 0 || err != nil {
				t.Errorf("left under an older key: %+v, %v", old, err)
			}
		}
	})
	wg.Go(func() {
		for n := 0; n < most && !over.Load(); n++ {
			key, err := two.MasterKey(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			_ = two.tryCommit(delivery.Change{Secrets: []delivery.SecretChange{{Secret: sealedWith(fmt.Sprint("s", n), key, 1)}}})
		}
	})
	wg.Wait()
}
