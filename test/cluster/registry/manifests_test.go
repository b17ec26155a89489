package registry

import (
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// serve starts a registry on two directories, as a restart of the cluster does.
func serve(t *testing.T, manifests, blobs string) string {
	t.Helper()
	images := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs)), registry.Logger(log.New(io.Discard, "", 0)))
	kept, err := keep(manifests, images)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(plainNames(kept))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func TestImagesSurviveARestart(t *testing.T) {
	manifests, blobs := t.TempDir()+"/manifests", t.TempDir()
	index, err := random.Index(100, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	first, err := name.ParseReference(serve(t, manifests, blobs) + "/some/app:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(first, index); err != nil {
		t.Fatal(err)
	}
	// As containerd asks for an image without a registry in its name.
	again, err := name.ParseReference(serve(t, manifests, blobs) + "/library/some/app:1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := remote.Index(again)
	if err != nil {
		t.Fatal(err)
	}
	want, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if d, err := got.Digest(); err != nil || d != want {
		t.Errorf("after the restart it is %v, %v; want %v", d, err, want)
	}
}

func TestDeletedImagesStayDeleted(t *testing.T) {
	manifests, blobs := t.TempDir()+"/manifests", t.TempDir()
	image, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	first, err := name.ParseReference(serve(t, manifests, blobs) + "/app:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(first, image); err != nil {
		t.Fatal(err)
	}
	if err := remote.Delete(first); err != nil {
		t.Fatal(err)
	}
	again, err := name.ParseReference(serve(t, manifests, blobs) + "/app:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Head(again); err == nil {
		t.Error("the image is there again")
	}
}
