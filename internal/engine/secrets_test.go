package engine_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/seal"
)

func (w *world) vault() *seal.Vault {
	keys, err := seal.OpenFile(filepath.Join(filepath.Dir(w.path), "master.key"))
	w.must(err)
	return seal.NewVault(w.store, keys)
}

func (w *world) wantSecret(name, want string) {
	w.t.Helper()
	got, err := w.vault().Open(w.t.Context(), name)
	if err != nil || string(got) != want {
		w.t.Errorf("%s opens to %q, %v", name, got, err)
	}
}

func TestSecrets(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		for _, value := range []string{"hunter2-one", "hunter2-two"} {
			set, err := w.SetSecret(t.Context(), admin(), "robot", []byte(value))
			w.must(err)
			if set.SetBy != admin().Actor || set.SetAt.IsZero() {
				t.Errorf("got %+v", set)
			}
		}
		w.wantSecret("robot", "hunter2-two")
		all, err := w.Secrets(t.Context(), admin())
		if err != nil || len(all) != 1 || all[0].Revision != 2 {
			t.Errorf("got %+v, %v", all, err)
		}
		told, err := json.Marshal(w.audit())
		if err != nil || strings.Contains(string(told), "hunter2") {
			t.Errorf("the audit tells a value: %s", told)
		}
		w.must(w.DeleteSecret(t.Context(), admin(), "robot"))
		w.refused(w.DeleteSecret(t.Context(), admin(), "robot"), delivery.NotFound, "no secret robot")
		_, err = w.Secrets(t.Context(), engine.Principal{Actor: delivery.Actor{Kind: delivery.ActorUser, Name: "eve"}})
		w.refused(err, delivery.Denied, "secret.set")
	})
}

func TestSecretsThatAreRefused(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		set := func(name, value string) error {
			_, err := w.SetSecret(t.Context(), admin(), name, []byte(value))
			return err
		}
		w.refused(set("robot", ""), delivery.Invalid, "empty")
		w.refused(set("robot", strings.Repeat("x", delivery.MaxSecret+1)), delivery.Invalid, "may have")
		for _, name := range []string{"", "Robot", "a/b", "../x", "a\nb", delivery.OwnSecret("engine")} {
			w.refused(set(name, "value"), delivery.Invalid, "name of a secret")
			w.refused(w.DeleteSecret(t.Context(), admin(), name), delivery.Invalid, "name of a secret")
		}
		w.must(set("east", "value"))
		w.apply(document("Cluster", "east", `{"kubeconfigSecret":"east"}`))
		w.refused(w.DeleteSecret(t.Context(), admin(), "east"), delivery.Invalid, "used by Cluster/east")
	})
}

func TestMasterKeyRotation(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		const secrets = 7
		for i := range secrets {
			_, err := w.SetSecret(t.Context(), admin(), fmt.Sprint("s", i), []byte(fmt.Sprint("value ", i)))
			w.must(err)
		}
		first, err := w.store.MasterKey(t.Context())
		w.must(err)
		key, n, err := w.RotateMasterKey(t.Context(), admin())
		if err != nil || n != secrets || key == first {
			t.Fatalf("%s, %d, %v", key, n, err)
		}
		for i := range secrets {
			w.wantSecret(fmt.Sprint("s", i), fmt.Sprint("value ", i))
		}
		// The first key is gone: nothing can be sealed with it any more.
		if _, err := w.vault().Seal(t.Context(), first, delivery.Secret{Name: "x"}, []byte("x")); err == nil {
			t.Error("the older key is still there")
		}
	})
}

// A rotation that ends anywhere leaves every secret readable, and is ended by the next
// start.
func TestMasterKeyRotationThatIsCutOff(t *testing.T) {
	for fails := range 6 {
		playUnruly(t, func(t *testing.T, w *world, u *unruly) {
			for i := range 4 {
				_, err := w.SetSecret(t.Context(), admin(), fmt.Sprint("s", i), []byte(fmt.Sprint("value ", i)))
				w.must(err)
			}
			u.failAfter(fails, delivery.E(delivery.Unavailable, "the database is away"), "commit")
			_, _, err := w.RotateMasterKey(t.Context(), admin())
			if cut := fails < 5; cut != (err != nil) {
				t.Fatalf("after %d commits: %v", fails, err)
			}
			for i := range 4 {
				w.wantSecret(fmt.Sprint("s", i), fmt.Sprint("value ", i))
			}
			u.fail(nil)
			_, err = w.RewrapSecrets(t.Context())
			w.must(err)
			key, err := w.store.MasterKey(t.Context())
			w.must(err)
			if left, err := w.store.SecretsNotUnder(t.Context(), key, 10); len(left) != 0 || err != nil {
				t.Errorf("%d secrets are under another key, %v", len(left), err)
			}
			for i := range 4 {
				w.wantSecret(fmt.Sprint("s", i), fmt.Sprint("value ", i))
			}
		})
	}
}
