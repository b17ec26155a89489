package git_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/git"
)

func TestHeads(t *testing.T) {
	for name, backend := range map[string][]string{"version 2": nil, "version 0": {"GIT_PROTOCOL="}} {
		t.Run(name, func(t *testing.T) {
			o := serve(t, 2, backend...)
			sh(t, o.dir, "update-ref", "refs/heads/dev", o.shas[0])
			sh(t, o.dir, "update-ref", "refs/heads/dev-2", o.shas[1])
			sh(t, o.dir, "update-ref", "refs/heads/feature/dev", o.shas[1])
			got, err := git.Heads(t.Context(), o.remote(), "refs/heads/dev", "refs/heads/nope", "HEAD")
			if diff := cmp.Diff(map[string]string{"refs/heads/dev": o.shas[0], "HEAD": o.shas[1]}, got); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
			if got, err := git.Heads(t.Context(), git.Remote{URL: "file://" + o.dir}, "refs/heads/dev"); err != nil || got["refs/heads/dev"] != o.shas[0] || len(got) != 1 {
				t.Errorf("of a file: %v %v", got, err)
			}
		})
	}
}

// counted counts what a server sends.
type counted struct {
	http.ResponseWriter
	n *int
}

func (c counted) Write(b []byte) (int, error) {
	*c.n += len(b)
	return c.ResponseWriter.Write(b)
}

func TestHeadsOfAHundredThousandBranches(t *testing.T) {
	o := serve(t, 1)
	write(t, filepath.Join(o.dir, "packed-refs"), packed(o.shas[0], 100_000)+o.shas[0]+" refs/heads/dev\n")
	sent := 0
	counter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { o.handler.ServeHTTP(counted{w, &sent}, r) }))
	defer counter.Close()
	remote := o.remote()
	remote.URL = counter.URL + "/acme/shop.git"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := git.Heads(t.Context(), remote, "refs/heads/dev", "refs/heads/main")
	runtime.ReadMemStats(&after)
	if err != nil || got["refs/heads/dev"] != o.shas[0] || len(got) != 2 {
		t.Errorf("%v %v", got, err)
	}
	if sent > 10_000 {
		t.Errorf("the server sent %d bytes for two refs", sent)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
}

func TestHeadsErrorKinds(t *testing.T) {
	o := serve(t, 1)
	answer := func(kind, body string) git.Remote {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, body)
		}))
		t.Cleanup(s.Close)
		return git.Remote{URL: s.URL + "/a/b.git"}
	}
	const advertisement = "application/x-git-upload-pack-advertisement"
	for name, c := range map[string]struct {
		remote git.Remote
		ref    string
		kind   delivery.Kind
	}{
		"option as ref":    {o.remote(), "--upload-pack=touch /tmp/x", delivery.Invalid},
		"wrong token":      {git.Remote{URL: o.url, Token: "wrong"}, "refs/heads/main", delivery.Denied},
		"no repository":    {git.Remote{URL: o.url + "x", Username: user, Token: token}, "refs/heads/main", delivery.NotFound},
		"no server":        {git.Remote{URL: "http://127.0.0.1:1/a/b.git"}, "refs/heads/main", delivery.Unavailable},
		"garbage":          {answer(advertisement, strings.Repeat("\xff garbage", 10_000)), "refs/heads/main", delivery.Unavailable},
		"a broken packet":  {answer(advertisement, "000eversion 2\n00"), "refs/heads/main", delivery.Unavailable},
		"another protocol": {answer(advertisement, "000eversion 2\n0000"), "refs/heads/main", delivery.Unavailable},
	} {
		if got, err := git.Heads(t.Context(), c.remote, c.ref); delivery.KindOf(err) != c.kind || err == nil {
			t.Errorf("%s: %v %v (%v), want %v", name, got, err, delivery.KindOf(err), c.kind)
		}
	}
}

// A server that accepts and never answers, or sends a byte now and then, is given up.
func TestHeadsOfAHungServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dripping := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		for range 1000 {
			if _, err := w.Write([]byte("0")); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}))
	defer dripping.Close()
	for name, url := range map[string]string{"silent": "http://" + l.Addr().String(), "dripping": dripping.URL} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		start := time.Now()
		_, err := git.Heads(ctx, git.Remote{URL: url + "/a/b.git"}, "refs/heads/main")
		cancel()
		if err == nil || time.Since(start) > 5*time.Second {
			t.Errorf("%s: %v after %s", name, err, time.Since(start))
		}
	}
}

func FuzzPackets(f *testing.F) {
	for _, seed := range []string{
		"001e# service=git-upload-pack\n0000000eversion 2\n0000",
		"003d" + strings.Repeat("a", 40) + " refs/heads/main\n0000", "0004", "ffff", "0003", "zzzz", "0005",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		lines := 0
		err := git.Packets(strings.NewReader(string(b)), func(line string) error {
			lines += len(line)
			return nil
		})
		if lines > len(b) || err != nil && delivery.KindOf(err) != delivery.Unavailable {
			t.Errorf("%d bytes of %d, %v", lines, len(b), err)
		}
	})
}
