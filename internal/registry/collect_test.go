package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/shiplock/shiplock/internal/registry"
)

// collecting is an open registry with a clock of its own, and names for manifests.
type collecting struct {
	*registry.Registry
	t    *testing.T
	dir  string
	host string

	mu    sync.Mutex
	names map[string]bool // repository@digest
	ahead time.Duration
}

func openCollecting(t *testing.T, dir string) *collecting {
	t.Helper()
	g, err := registry.Open(registry.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(g)
	t.Cleanup(func() {
		srv.Close()
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return &collecting{Registry: g, t: t, dir: dir, host: strings.TrimPrefix(srv.URL, "http://"), names: map[string]bool{}}
}

func (c *collecting) name(ref name.Reference, img v1.Image, named bool) {
	c.t.Helper()
	d, err := img.Digest()
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names[ref.Context().RepositoryStr()+"@"+d.String()] = named
}

func (c *collecting) rules(grace time.Duration) registry.Rules {
	return registry.Rules{
		Own: "own/", Grace: grace, Now: func() time.Time { return time.Now().Add(c.ahead) },
		Named: func(_ context.Context, repo, digest string) (bool, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.names[repo+"@"+digest], nil
		},
	}
}

// later makes a pass a while later.
func (c *collecting) later(d time.Duration) registry.Collected {
	c.t.Helper()
	c.ahead += d
	done, err := c.Collect(c.t.Context(), c.rules(time.Hour))
	if err != nil {
		c.t.Fatal(err)
	}
	return done
}

func (c *collecting) there(ref name.Reference) bool {
	c.t.Helper()
	img, err := remote.Image(ref)
	if err != nil {
		return false
	}
	if err := validate.Image(img); err != nil {
		c.t.Fatalf("%s is not whole: %v", ref, err)
	}
	return true
}

// files counts the files of the registry.
func (c *collecting) files() (n int) {
	c.t.Helper()
	err := filepath.WalkDir(c.dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

func TestCollectRemovesWhatNothingNames(t *testing.T) {
	c := openCollecting(t, t.TempDir())
	base := randomImage(t, 1000, 1)
	kept, gone := appended(t, base), appended(t, base)
	own := push(t, c.host+"/own/base:1", base)
	keptRef, goneRef := push(t, c.host+"/shop:1", kept), push(t, c.host+"/shop:2", gone)
	other := push(t, c.host+"/cart:1", gone) // the same, and there it is needed
	c.name(keptRef, kept, true)
	c.name(other, gone, true)

	if done := c.later(30 * time.Minute); done.Manifests+done.Blobs != 0 {
		t.Fatalf("within the grace %+v went", done)
	}
	if done := c.later(time.Hour); done.Manifests != 1 || done.Blobs != 0 {
		t.Fatalf("%+v went", done)
	}
	if !c.there(keptRef) || c.there(goneRef) || !c.there(own) || !c.there(other) {
		t.Fatal("the wrong ones went")
	}
	c.name(other, gone, false)
	// It has just been read.
	c.ahead = 0
	if done := c.later(time.Minute); done.Manifests != 0 {
		t.Fatalf("%+v went, just after it was read", done)
	}
	if done := c.later(2 * time.Hour); done.Manifests != 1 {
		t.Fatalf("%+v went", done)
	}
	c.later(2 * time.Hour)
	if !c.there(keptRef) || c.there(other) || !c.there(own) {
		t.Fatal("the wrong ones went")
	}
	c.name(keptRef, kept, false)
	c.later(2 * time.Hour)
	c.later(2 * time.Hour)
	// The base's manifest, its tag, and its blobs: config and one layer, linked in own/base.
	if n := c.files(); n != 7 {
		t.Errorf("%d files are left", n)
	}
	if again := push(t, c.host+"/shop:3", kept); !c.there(again) {
		t.Error("it cannot be pushed again")
	}
}

// appended is an image with a layer of its own on a base.
func appended(t *testing.T, base v1.Image) v1.Image {
	t.Helper()
	layer, err := random.Layer(2000, "application/vnd.oci.image.layer.v1.tar+gzip")
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(base, layer)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A manifest goes only at the second look that finds it surplus, a while after the
// first: in between somebody may write down that he needs it.
func TestCollectLooksTwice(t *testing.T) {
	c := openCollecting(t, t.TempDir())
	img := randomImage(t, 100, 1)
	ref := push(t, c.host+"/shop:1", img)
	look := func(d time.Duration) int {
		c.ahead += d
		rules := c.rules(time.Hour)
		rules.Settle = 10 * time.Minute
		done, err := c.Collect(t.Context(), rules)
		if err != nil {
			t.Fatal(err)
		}
		return done.Manifests
	}
	if n := look(2*time.Hour) + look(9*time.Minute); n != 0 {
		t.Fatal("it went too early")
	}
	c.name(ref, img, true)
	if look(time.Hour) != 0 {
		t.Fatal("it went although it is named")
	}
	c.name(ref, img, false)
	if look(time.Minute) != 0 {
		t.Fatal("the first look counts, from before it was named")
	}
	if look(10*time.Minute) != 1 {
		t.Fatal("it stays")
	}
}

// Pushes, mounts and collections at once: whatever a push was told is there, is there
// when it ends. The grace is short, so that collections really remove.
func TestCollectBesidePushes(t *testing.T) {
	c := openCollecting(t, t.TempDir())
	const grace, pushers, rounds = time.Minute, 3, 6
	base := randomImage(t, 20_000, 2)
	push(t, c.host+"/own/base:1", base)
	shared := make([]v1.Image, 6)
	for i := range shared {
		shared[i] = appended(t, base)
	}
	ctx, stop := context.WithCancel(t.Context())
	var passes sync.WaitGroup
	removed := 0
	passes.Go(func() {
		for ctx.Err() == nil {
			done, err := c.Collect(ctx, c.rules(grace))
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
				return
			}
			removed += done.Manifests + done.Blobs
		}
	})
	for round := range rounds {
		var all sync.WaitGroup
		for p := range pushers {
			all.Go(func() { c.pushAndRead(fmt.Sprintf("app%d:%d", (p+round)%3, round%2), shared[(p+round)%len(shared)]) })
		}
		all.Wait()
		age(t, c.dir) // as if a long time had passed
	}
	stop()
	passes.Wait()
	for range 2 {
		done, err := c.Collect(t.Context(), c.rules(grace))
		if err != nil {
			t.Fatal(err)
		}
		removed += done.Manifests
	}
	if removed == 0 {
		t.Error("nothing was ever removed")
	}
	for i := range shared {
		if ref := push(t, fmt.Sprintf("%s/again:%d", c.host, i), shared[i]); !c.there(ref) {
			t.Errorf("%s is not there", ref)
		}
	}
}

// pushAndRead pushes an image and reads it back whole.
func (c *collecting) pushAndRead(to string, img v1.Image) {
	ref, err := name.ParseReference(c.host + "/" + to)
	if err != nil {
		c.t.Error(err)
		return
	}
	if err := remote.Write(ref, img); err != nil {
		c.t.Errorf("push %s: %v", ref, err)
		return
	}
	d, err := img.Digest()
	var got v1.Image
	if err == nil {
		got, err = remote.Image(ref.Context().Digest(d.String()))
	}
	if err == nil {
		err = validate.Image(got)
	}
	if err != nil {
		c.t.Errorf("%s, just pushed: %v", ref, err)
	}
}

// age makes everything an hour older.
func age(t *testing.T, dir string) {
	t.Helper()
	old := time.Now().Add(-time.Hour)
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			_ = os.Chtimes(path, old, old) // it may be gone
		}
		return nil
	})
}

// A pass that is cut off anywhere leaves a registry that is whole, and the next ones
// finish.
func TestCollectCutOff(t *testing.T) {
	for cut := range 40 {
		c := openCollecting(t, t.TempDir())
		kept, gone := randomImage(t, 100, 2), randomImage(t, 100, 2)
		keptRef := push(t, c.host+"/shop:1", kept)
		push(t, c.host+"/shop:2", gone)
		c.name(keptRef, kept, true)
		before := c.files()
		c.ahead = 2 * time.Hour
		ctx, stop := context.WithCancel(t.Context())
		rules, looks := c.rules(time.Hour), 0
		now := rules.Now
		rules.Now = func() time.Time { // called now and then
			if looks++; looks > cut {
				stop()
			}
			return now()
		}
		named := rules.Named
		rules.Named = func(ctx context.Context, repo, digest string) (bool, error) {
			if looks++; looks > cut {
				stop()
			}
			return named(ctx, repo, digest)
		}
		_, err := c.Collect(ctx, rules)
		stop()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if !c.there(keptRef) {
			t.Fatalf("cut %d: what is named is gone", cut)
		}
		c.later(2 * time.Hour)
		c.later(2 * time.Hour)
		if n := c.files(); !c.there(keptRef) || n >= before {
			t.Fatalf("cut %d: %d files of %d are left", cut, n, before)
		}
		if looks <= cut {
			return // it was not cut any more
		}
	}
}
