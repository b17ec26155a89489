package image

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/registry"
)

func packageWorld(t *testing.T) (c *Client, host string) {
	t.Helper()
	reg, err := registry.Open(registry.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(reg)
	t.Cleanup(srv.Close)
	return New(Config{}), strings.TrimPrefix(srv.URL, "http://")
}

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{"start.sh": "#!/bin/sh\n", "lib/app.jar": "jar"} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A package is a folder there and back, by the same digest whoever packs it.
func TestPackage(t *testing.T) {
	c, host := packageWorld(t)
	first, err := c.BuildPackage(t.Context(), Package{Dir: folder(t), Dest: host + "/shop"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.BuildPackage(t.Context(), Package{Dir: folder(t), Dest: host + "/shop"})
	if err != nil || again.Digest != first.Digest || !again.Unchanged {
		t.Errorf("again %+v, %v", again, err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	if err := c.Unpack(t.Context(), UnpackSpec{Ref: first.Ref, Dir: dir}); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"start.sh": "#!/bin/sh\n", "lib/app.jar": "jar"} {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
	size, err := c.Tag(t.Context(), first.Ref, "7-abc")
	if err != nil || size != first.Size {
		t.Errorf("tagged with size %d, want %d, %v", size, first.Size, err)
	}
	ref, _ := name.NewDigest(first.Ref)
	desc, err := remote.Get(ref)
	if err != nil {
		t.Fatal(err)
	}
	var m packageManifest
	if err := json.Unmarshal(desc.Manifest, &m); err != nil || m.ArtifactType != PackageType || len(m.Layers) != 1 || m.Config.MediaType != emptyConfigType {
		t.Errorf("manifest %s", desc.Manifest)
	}
}

func TestPackageIsNoBase(t *testing.T) {
	c, host := packageWorld(t)
	p, err := c.BuildPackage(t.Context(), Package{Dir: folder(t), Dest: host + "/shop"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Build(t.Context(), Spec{Base: p.Ref, Dir: folder(t), Dest: host + "/other"})
	if delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), "is a package and no image") {
		t.Errorf("error is %v", err)
	}
	_, err = c.BuildPackage(t.Context(), Package{Dir: filepath.Join(t.TempDir(), "none"), Dest: host + "/shop"})
	if delivery.KindOf(err) != delivery.Invalid {
		t.Errorf("error is %v", err)
	}
}
