package image_test

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/image"
	ours "github.com/shiplock/shiplock/internal/registry"
)

const chunk = 1 << 20

// front stands before a registry and spoils the chunks of uploads.
type front struct {
	registry http.Handler
	// spoil may deal with the n-th chunk that comes, from 1; false lets it through.
	spoil func(w http.ResponseWriter, r *http.Request, n int) bool

	mu             sync.Mutex
	chunks, opened int
	taken          int64 // bytes of chunks that came
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	upload := strings.Contains(r.URL.Path, "/blobs/uploads")
	n := 0
	switch {
	case upload && r.Method == http.MethodPost:
		f.opened++
	case upload && r.Method == http.MethodPatch && r.ContentLength > 100<<10: // a layer, no configuration
		f.chunks++
		n = f.chunks
		r.Body = &tally{r.Body, &f.taken}
	}
	f.mu.Unlock()
	if n > 0 && f.spoil != nil && f.spoil(w, r, n) {
		return
	}
	f.registry.ServeHTTP(w, r)
}

// seen is what came so far.
func (f *front) seen() (chunks, opened int, taken int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.chunks, f.opened, atomic.LoadInt64(&f.taken)
}

type tally struct {
	io.ReadCloser
	sum *int64
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	atomic.AddInt64(t.sum, int64(n))
	return n, err
}

func serve(t testing.TB, h http.Handler) (host string) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

func embedded(t testing.TB) http.Handler {
	t.Helper()
	g, err := ours.Open(ours.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// pushBig pushes an image with one layer of so many bytes, and reads it back.
func pushBig(t testing.TB, c *image.Client, dest string, size int) {
	t.Helper()
	big := make([]byte, size)
	rand.Read(big)
	r, err := c.BuildScratch(t.Context(), image.Scratch{Dest: dest, Files: []image.File{{Path: "/big", Data: big}}})
	if err != nil {
		t.Fatal(err)
	}
	pull(t, r.Ref)
}

// cut lets part of a chunk through and breaks the connection.
func cut(f *front, bytes int64) func(w http.ResponseWriter, r *http.Request, n int) bool {
	return func(_ http.ResponseWriter, r *http.Request, n int) bool {
		if n != 3 {
			return false
		}
		r.Body = io.NopCloser(io.LimitReader(r.Body, bytes))
		r.ContentLength = -1
		r.Header.Del("Content-Range") // its end does not come
		f.registry.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
}

func TestAnUploadThatBreaksOffGoesOn(t *testing.T) {
	const size = 5 * chunk
	for name, tc := range map[string]struct {
		spoil  func(f *front) func(w http.ResponseWriter, r *http.Request, n int) bool
		opened int   // uploads of layer and configuration
		taken  int64 // bytes at most
	}{
		"nothing spoils it": {func(*front) func(http.ResponseWriter, *http.Request, int) bool { return nil }, 2, size + 1<<16},
		"cut within a chunk": {func(f *front) func(http.ResponseWriter, *http.Request, int) bool {
			return cut(f, chunk/2)
		}, 2, size + chunk + 1<<16},
		"the proxy is overloaded": {func(*front) func(http.ResponseWriter, *http.Request, int) bool {
			return func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n == 2 || n == 4 {
					w.Header().Set("Retry-After", "0")
					w.WriteHeader(map[int]int{2: http.StatusTooManyRequests, 4: http.StatusBadGateway}[n])
				}
				return n == 2 || n == 4
			}
		}, 2, size + 2*chunk + 1<<16},
		"the upload is forgotten": {func(*front) func(http.ResponseWriter, *http.Request, int) bool {
			return func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n == 3 {
					http.NotFound(w, r)
				}
				return n == 3
			}
		}, 3, 2*size + 1<<16},
		"no chunks are taken": {func(*front) func(http.ResponseWriter, *http.Request, int) bool {
			return func(w http.ResponseWriter, r *http.Request, _ int) bool {
				chunked := r.Header.Get("Content-Range") != ""
				if chunked {
					w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				}
				return chunked
			}
		}, 4, 2*size + 1<<16},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &front{registry: embedded(t)}
			f.spoil = tc.spoil(f)
			pushBig(t, image.Hurry(image.New(image.Config{Chunk: chunk})), serve(t, f)+"/app", size)
			if _, opened, taken := f.seen(); opened != tc.opened || taken > tc.taken {
				t.Errorf("%d uploads opened, %d bytes taken of %d; want %d and at most %d", opened, taken, size, tc.opened, tc.taken)
			}
		})
	}
}

// A registry of somebody else's, in memory, takes what ours does.
func TestPushesInOnePieceAndInChunks(t *testing.T) {
	host := serve(t, registry.New())
	pushBig(t, image.New(image.Config{}), host+"/whole", 2*chunk)
	pushBig(t, image.New(image.Config{Chunk: chunk}), host+"/chunks", 3*chunk+1)
}

func TestAnUploadThatNeverGetsFurtherEnds(t *testing.T) {
	f := &front{registry: embedded(t), spoil: func(http.ResponseWriter, *http.Request, int) bool { panic(http.ErrAbortHandler) }}
	big := make([]byte, chunk)
	rand.Read(big)
	c := image.Hurry(image.New(image.Config{}))
	_, err := c.BuildScratch(t.Context(), image.Scratch{Dest: serve(t, f) + "/app", Files: []image.File{{Path: "/big", Data: big}}})
	if delivery.KindOf(err) != delivery.Unavailable {
		t.Errorf("it ends with %v", err)
	}
	if chunks, _, _ := f.seen(); chunks < 3 {
		t.Errorf("it was tried %d times", chunks)
	}
}
