package local

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func valid() Wish {
	return Wish{Key: "shop/prod", Generation: 1, Versions: []Version{{ID: "r1", Weight: 100, Image: "shop@sha256:1"}}}
}

func TestValidateNamesTheField(t *testing.T) {
	if err := valid().Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Wish){
		`key "Shop"`:          func(w *Wish) { w.Key = "Shop" },
		`key "../etc"`:        func(w *Wish) { w.Key = "../etc" },
		"generation 0":        func(w *Wish) { w.Generation = 0 },
		"listen 70000":        func(w *Wish) { w.Listen = 70000 },
		`version id "../r1"`:  func(w *Wish) { w.Versions[0].ID = "../r1" },
		`version "r1"`:        func(w *Wish) { w.Versions = append(w.Versions, w.Versions[0]) },
		"weight 101":          func(w *Wish) { w.Versions[0].Weight = 101 },
		"image is missing":    func(w *Wish) { w.Versions[0].Image = "" },
		"replicas 33":         func(w *Wish) { w.Versions[0].Config.Replicas = 33 },
		`healthPath "health"`: func(w *Wish) { w.Versions[0].Config.HealthPath = "health" },
		`variable "A=B"`:      func(w *Wish) { w.Versions[0].Config.Env = map[string]string{"A=B": ""} },
	} {
		w := valid()
		change(&w)
		err := w.Validate()
		if delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s: %v", want, err)
		}
	}
}

func TestSameCountsDefaultsIn(t *testing.T) {
	a, b := valid(), valid()
	b.Versions[0].Config = Config{PortEnv: "PORT", HealthPath: "/", HealthTimeoutMS: 30_000, StartArg: "prod", Replicas: 1}
	if !a.Same(b) {
		t.Error("written-out defaults differ")
	}
	b.Versions[0].Config.StartArg = "pre"
	if a.Same(b) {
		t.Error("another argument is the same")
	}
}

func TestSocketPathOfALongDirectory(t *testing.T) {
	t.Setenv("TMPDIR", "/tmp")
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 40))
	path, err := SocketPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(path)) })
	if len(path) > maxSocketPath {
		t.Errorf("%d bytes: %s", len(path), path)
	}
	if again, err := SocketPath(dir); err != nil || again != path {
		t.Errorf("second time: %s, %v", again, err)
	}
	if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := SocketPath(dir); delivery.KindOf(err) != delivery.Denied {
		t.Errorf("directory open to others: %v", err)
	}
}

func TestErrorsKeepTheirKindOnTheWire(t *testing.T) {
	for kind := range statusOf {
		w := httptest.NewRecorder()
		EncodeError(w, delivery.E(kind, "say what to do"))
		got := decodeError(w.Result())
		if delivery.KindOf(got) != kind || got.Error() != "say what to do" {
			t.Errorf("%s became %v %q", kind, delivery.KindOf(got), got)
		}
	}
}
