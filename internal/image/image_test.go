package image_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/internal/registry"
)

// host is a registry that records what is asked of it.
type host struct {
	name string

	mu       sync.Mutex
	requests []string
}

func newHost(t testing.TB) *host {
	t.Helper()
	g, err := registry.Open(registry.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	h := &host{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.requests = append(h.requests, r.Method+" "+r.URL.Path)
		h.mu.Unlock()
		g.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		srv.Close()
		g.Close()
	})
	h.name = strings.TrimPrefix(srv.URL, "http://")
	return h
}

// count returns how many requests since the last call had the method and, in
// their path, the part.
func (h *host) count(method, part string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.requests {
		if strings.HasPrefix(r, method+" ") && strings.Contains(r, part) {
			n++
		}
	}
	return n
}

func (h *host) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests = nil
}

func writeTree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "start_env")
	for name, content := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := fs.FileMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		if err := os.WriteFile(p, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func pushBase(t testing.TB, c *image.Client, ref string) image.Result {
	t.Helper()
	r, err := c.BuildScratch(t.Context(), image.Scratch{
		Dest:  ref,
		Files: []image.File{{Path: "/etc/os-release", Data: []byte("NAME=base\n")}, {Path: "/bin/tool", Mode: 0o755, Data: []byte("tool")}},
		Env:   []string{"PATH=/bin", "KEPT=1"},
		Cmd:   []string{"/bin/tool"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func build(t testing.TB, c *image.Client, s image.Spec) image.Result {
	t.Helper()
	r, err := c.Build(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func pull(t testing.TB, ref string) v1.Image {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	img, err := remote.Image(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img); err != nil {
		t.Fatal(err)
	}
	return img
}

func TestBuildsWhatTheDockerfileSays(t *testing.T) {
	h, c := newHost(t), image.New(image.Config{})
	base := pushBase(t, c, h.name+"/shiplock/base:1")
	h.forget()
	s := image.Spec{
		Base:   h.name + "/shiplock/base:1",
		Dir:    writeTree(t, map[string]string{"start.sh": "#!/bin/sh\n", "lib/a": "a"}),
		Dest:   h.name + "/team/app",
		Env:    []string{"PORT=8080", "KEPT=$2", `Q="\`},
		Expose: []int{8080},
		User:   "1000:1000",
		Cmd:    []string{"./start.sh", "prod"},
		Labels: map[string]string{"org.opencontainers.image.revision": "abc"},
	}
	r := build(t, c, s)
	if got := h.count("GET", "/blobs/"); got != 1 {
		t.Errorf("%d blobs read, want the base's configuration only", got)
	}
	img := pull(t, r.Ref)
	config, _ := img.ConfigFile()
	run := config.Config
	if run.WorkingDir != "/home/services" || run.User != "1000:1000" || strings.Join(run.Cmd, " ") != "./start.sh prod" {
		t.Errorf("config = %+v", run)
	}
	if got := strings.Join(run.Env, "|"); got != `PATH=/bin|KEPT=$2|PORT=8080|Q="\` {
		t.Errorf("env = %s", got)
	}
	if _, ok := run.ExposedPorts["8080/tcp"]; !ok || run.Labels["org.opencontainers.image.revision"] != "abc" {
		t.Errorf("ports = %v, labels = %v", run.ExposedPorts, run.Labels)
	}
	manifest, _ := img.Manifest()
	if a := manifest.Annotations; a["org.opencontainers.image.base.digest"] != base.Digest || a["org.opencontainers.image.base.name"] != s.Base || a["org.opencontainers.image.revision"] != "abc" {
		t.Errorf("annotations = %v", a)
	}
	if r.Base != h.name+"/shiplock/base@"+base.Digest || r.Unchanged {
		t.Errorf("result = %+v", r)
	}

	want := `WORKDIR /home/services
ADD start_env/ /home/services/
ENV PORT="8080"
ENV KEPT="\$2"
ENV Q="\"\\"
EXPOSE 8080
LABEL org.opencontainers.image.revision="abc"
USER 1000:1000
CMD ["./start.sh","prod"]
`
	var got strings.Builder
	for _, step := range config.History[1:] { // the base's own comes first
		got.WriteString(step.CreatedBy + "\n")
	}
	if got.String() != want {
		t.Errorf("history:\n%s\nwant:\n%s", got.String(), want)
	}
}

// An image's files lie between the base's and the folder's, and its settings count for
// nothing.
func TestAddsTheFilesOfAnImage(t *testing.T) {
	h, c := newHost(t), image.New(image.Config{})
	base := pushBase(t, c, h.name+"/shiplock/base:1")
	serve, err := c.BuildScratch(t.Context(), image.Scratch{
		Dest: h.name + "/shiplock/serve:1", Env: []string{"PATH=/none"}, User: "nobody",
		Files: []image.File{{Path: "/home/services/web", Mode: 0o755, Data: []byte("web")}, {Path: "/bin/tool", Data: []byte("another")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := image.Spec{
		Base: h.name + "/shiplock/base:1", With: h.name + "/shiplock/serve:1",
		Dir: writeTree(t, map[string]string{"start.sh": "#!/bin/sh\n"}), Dest: h.name + "/team/app",
	}
	r := build(t, c, s)
	img := pull(t, r.Ref)
	manifest, _ := img.Manifest()
	var layers []string
	for _, l := range manifest.Layers {
		layers = append(layers, l.Digest.String())
	}
	if want := []string{base.Layer, serve.Layer, r.Layer}; !slices.Equal(layers, want) {
		t.Errorf("layers %v, want %v", layers, want)
	}
	config, _ := img.ConfigFile()
	if config.Config.User != "" || strings.Join(config.Config.Env, "|") != "PATH=/bin|KEPT=1" {
		t.Errorf("config = %+v", config.Config)
	}
	if h := config.History; len(h) != 4 || h[1].CreatedBy != "COPY --from="+s.With+" / /" || h[1].EmptyLayer {
		t.Errorf("history = %+v", h)
	}
	if again := build(t, c, s); again.Ref != r.Ref || !again.Unchanged {
		t.Errorf("again it is %s, unchanged %v", again.Ref, again.Unchanged)
	}
	dir := filepath.Join(t.TempDir(), "app")
	if err := c.Unpack(t.Context(), image.UnpackSpec{Ref: r.Ref, Dir: dir}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"web": "web", "start.sh": "#!/bin/sh\n"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	s.With = h.name + "/shiplock/missing:1"
	if _, err := c.Build(t.Context(), s); delivery.KindOf(err) != delivery.NotFound || !strings.Contains(err.Error(), "shiplock/missing:1") {
		t.Errorf("without the image: %v", err)
	}
}

// The digest is a promise across machines and releases of ours. When it has to
// change, change the compressor's name with it.
func TestDigestsAreTheSameEverywhere(t *testing.T) {
	h := newHost(t)
	c := image.New(image.Config{TempDir: t.TempDir()})
	base := pushBase(t, c, h.name+"/base:1")
	if want := "sha256:e1d3970cc07dd3ccc2c91c3218bddd6e79f1a5a467b75dfac78f06413bdf041f"; base.Digest != want {
		t.Errorf("base = %s, want %s", base.Digest, want)
	}
	big := make([]byte, 3<<20)
	rand.NewChaCha8([32]byte{1}).Read(big[:2<<20])
	var first string
	for i, cpus := range []int{1, 2, 7} {
		dir := writeTree(t, map[string]string{"start.sh": "x", "d/big": string(big), "d/e/empty": "", "z": strings.Repeat("text ", 1<<18)})
		if err := os.Symlink("big", filepath.Join(dir, "d/link")); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, "z"), 0o600|fs.FileMode(i)<<3&0o040); err != nil {
			t.Fatal(err)
		}
		before := runtime.GOMAXPROCS(cpus)
		r := build(t, c, image.Spec{Base: h.name + "/base@" + base.Digest, Dir: dir, Dest: h.name + "/app"})
		runtime.GOMAXPROCS(before)
		if first == "" {
			first = r.Layer
		}
		if r.Layer != first || r.Unchanged != (i > 0) {
			t.Errorf("%d processors: layer %s, unchanged %v", cpus, r.Layer, r.Unchanged)
		}
	}
	if want := "sha256:27e3c0e52b3da318d457bd6adba85a859fa6f0326783446a16e0bffcd7e46b7e"; first != want {
		t.Errorf("layer = %s, want %s", first, want)
	}
}

func TestCopiesBaseFromAnotherRegistryOnce(t *testing.T) {
	from, to, c := newHost(t), newHost(t), image.New(image.Config{})
	pushBase(t, c, from.name+"/base:1")
	from.forget()
	s := image.Spec{Base: from.name + "/base:1", Dir: writeTree(t, map[string]string{"start.sh": "1"}), Dest: to.name + "/app:v1"}
	build(t, c, s)
	pull(t, to.name+"/app:v1")
	if got := from.count("GET", "/blobs/"); got != 2 {
		t.Errorf("%d blobs read from the base's registry, want configuration and layer", got)
	}
	from.forget()
	if err := os.WriteFile(filepath.Join(s.Dir, "start.sh"), []byte("2"), 0o755); err != nil {
		t.Fatal(err)
	}
	build(t, c, s)
	if got := from.count("GET", "/blobs/"); got != 1 {
		t.Errorf("%d blobs read the second time, want the configuration", got)
	}
}

func TestMountsBaseInTheSameRegistry(t *testing.T) {
	h, c := newHost(t), image.New(image.Config{})
	pushBase(t, c, h.name+"/base:1")
	h.forget()
	build(t, c, image.Spec{Base: h.name + "/base:1", Dir: writeTree(t, map[string]string{"a": "1"}), Dest: h.name + "/app"})
	if got := h.count("PATCH", "/app/"); got != 2 {
		t.Errorf("%d uploads, want the new layer and the configuration", got)
	}
}

func TestMovesATagToAKnownImage(t *testing.T) {
	h, c := newHost(t), image.New(image.Config{})
	pushBase(t, c, h.name+"/base:1")
	s := image.Spec{Base: h.name + "/base:1", Dir: writeTree(t, map[string]string{"a": "1"}), Dest: h.name + "/app:one"}
	one := build(t, c, s)
	s.Dest = h.name + "/app:two"
	two := build(t, c, s)
	if one.Digest != two.Digest || two.Unchanged {
		t.Errorf("one = %+v, two = %+v", one, two)
	}
	if again := build(t, c, s); !again.Unchanged {
		t.Errorf("again = %+v", again)
	}
	pull(t, h.name+"/app:two")
}

func TestBuildRefuses(t *testing.T) {
	h, c := newHost(t), image.New(image.Config{})
	pushBase(t, c, h.name+"/base:1")
	tree := func(change func(dir string) error) string {
		dir := writeTree(t, map[string]string{"start.sh": "x", "d/e/f": "x"})
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	link := func(name, target string) string {
		return tree(func(dir string) error { return os.Symlink(target, filepath.Join(dir, name)) })
	}
	good := tree(func(string) error { return nil })
	for what, c := range map[string]struct {
		spec image.Spec
		kind delivery.Kind
		say  string
	}{
		"no directory":  {image.Spec{Dir: good + "x"}, delivery.Invalid, "there is no directory"},
		"link up":       {image.Spec{Dir: link("l", "../x")}, delivery.Invalid, `"l" is a symbolic link out`},
		"link up below": {image.Spec{Dir: link("d/e/l", "../../../x")}, delivery.Invalid, "is a symbolic link out"},
		"absolute link": {image.Spec{Dir: link("l", "/etc/passwd")}, delivery.Invalid, "is a symbolic link out"},
		"link over a link": {image.Spec{Dir: tree(func(d string) error {
			return errors.Join(os.Symlink("../..", d+"/d/e/up"), os.Symlink("up/../x", d+"/d/e/l"))
		})}, delivery.Invalid, "is a symbolic link out"},
		"whiteout":       {image.Spec{Dir: tree(func(d string) error { return os.WriteFile(d+"/.wh.bin", nil, 0o644) })}, delivery.Invalid, "delete files"},
		"bad env":        {image.Spec{Dir: good, Env: []string{"A B=1"}}, delivery.Invalid, "environment"},
		"injected line":  {image.Spec{Dir: good, Env: []string{"A=1\nRUN x"}}, delivery.Invalid, "environment"},
		"bad port":       {image.Spec{Dir: good, Expose: []int{0}}, delivery.Invalid, "port"},
		"bad user":       {image.Spec{Dir: good, User: "a b"}, delivery.Invalid, "user"},
		"bad platform":   {image.Spec{Dir: good, Platform: "linux"}, delivery.Invalid, "platform"},
		"other platform": {image.Spec{Dir: good, Platform: "linux/arm64"}, delivery.Invalid, "is for linux/amd64"},
		"digest dest":    {image.Spec{Dir: good, Dest: h.name + "/a@sha256:00"}, delivery.Invalid, "destination"},
		"missing base":   {image.Spec{Dir: good, Base: h.name + "/none:1"}, delivery.NotFound, "not in its registry"},
	} {
		t.Run(what, func(t *testing.T) {
			s := c.spec
			if s.Base == "" {
				s.Base = h.name + "/base:1"
			}
			if s.Dest == "" {
				s.Dest = h.name + "/app"
			}
			_, err := image.New(image.Config{}).Build(t.Context(), s)
			if delivery.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), c.say) {
				t.Errorf("err = %v (%v), want %v with %q", err, delivery.KindOf(err), c.kind, c.say)
			}
		})
	}
}

func login(host string, l image.Login) image.Registry {
	return image.Registry{Host: host, PlainHTTP: true, Login: image.Keys{host: l}.Login}
}

func TestLogsInWithGivenCredentialsOnly(t *testing.T) {
	g, err := registry.Open(registry.Config{Dir: t.TempDir(), Authorize: func(r *http.Request, _ string, _ bool) error {
		if user, pass, _ := r.BasicAuth(); user != "app" || pass != "secret" {
			return delivery.E(delivery.Denied, "log in")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	srv := httptest.NewServer(g)
	defer srv.Close()
	addr := strings.TrimPrefix(srv.URL, "http://")
	pushBase(t, image.New(image.Config{Registry: login(addr, image.Login{Username: "app", Password: "secret"})}), addr+"/base:1")
	for what, l := range map[string]image.Login{"none": {}, "wrong": {Username: "app", Password: "x"}} {
		_, err := image.New(image.Config{Registry: login(addr, l)}).BuildScratch(t.Context(), image.Scratch{Dest: addr + "/base:2"})
		if delivery.KindOf(err) != delivery.Denied {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestCancelingEndsABuild(t *testing.T) {
	h, c := newHost(t), image.New(image.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Build(ctx, image.Spec{Base: h.name + "/base:1", Dir: writeTree(t, map[string]string{"a": "1"}), Dest: h.name + "/app"})
	if err == nil || delivery.KindOf(err) == delivery.Unavailable {
		t.Errorf("err = %v", err)
	}
}
