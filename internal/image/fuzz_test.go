package image

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/shiplock/shiplock/internal/delivery"
)

// FuzzRef: a reference that is accepted means the same when it is written out, and
// its parts cannot leave their place in a URL.
func FuzzRef(f *testing.F) {
	for _, s := range []string{"127.0.0.1:5000/shiplock/base:1", "alpine", "host/a@sha256:" + strings.Repeat("0", 64), "host:x/../a", "a/b:c@d", "[::1]:80/a", "{registry}/x", "./..", "../0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := parseRef("base", s)
		if err != nil {
			if delivery.KindOf(err) != delivery.Invalid {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		again, err := name.ParseReference(ref.Name())
		if err != nil || again.Name() != ref.Name() {
			t.Errorf("%q is %s, and then %v, %v", s, ref.Name(), again, err)
		}
		for _, part := range []string{ref.Context().RepositoryStr(), ref.Context().RegistryStr(), ref.Identifier()} {
			if part == "" || strings.ContainsAny(part, "\\ \t\n\x00?#%") {
				t.Errorf("%q has the part %q", s, part)
			}
		}
		if strings.Contains("/"+ref.Context().RepositoryStr()+"/", "/../") {
			t.Errorf("%q leads elsewhere", s)
		}
	})
}

// FuzzImagePath: a path in an image is clean, relative and inside it.
func FuzzImagePath(f *testing.F) {
	f.Add("/home/services/../x", "home/services")
	f.Add("./a//b/", ".")
	f.Add("..", "a")
	f.Fuzz(func(t *testing.T, s, dir string) {
		p, d := imagePath(s), imagePath(dir)
		if strings.HasPrefix(p, "/") || p == ".." || strings.HasPrefix(p, "../") || p == "" || imagePath(p) != p {
			t.Fatalf("%q is %q", s, p)
		}
		if within(p, d) {
			if rel := relative(p, d); imagePath(d+"/"+rel) != p || leaves("", rel) {
				t.Fatalf("%q seen from %q is %q", p, d, rel)
			}
		}
	})
}

// FuzzKeys: whatever a file of logins holds, it is refused, or every login in it is
// found for the repositories at and below its key, and for no other host.
func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"auths":{"https://index.docker.io/v1/":{"auth":"YTpi"}}}`), "docker.io/library/alpine")
	f.Add([]byte(`{"auths":{"registry.example.com/team":{"username":"a","password":"b"}},"credsStore":"x"}`), "registry.example.com/team/shop")
	f.Add([]byte(`{"auths":{"h/":{"auth":"`+"\x00"+`"}}}`), "h")
	f.Fuzz(func(t *testing.T, text []byte, repository string) {
		keys, err := ParseKeys(text)
		if err != nil {
			if delivery.KindOf(err) != delivery.Invalid {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		key, login := keys.For(repository)
		if (login == Login{}) != (key == "") {
			t.Errorf("%q has %+v by key %q", repository, login, key)
		}
		if named := hub(repository); key != "" && named != key && !strings.HasPrefix(named, key+"/") {
			t.Errorf("%q got the login of %q", repository, key)
		}
	})
}
