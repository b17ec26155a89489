package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/image"
)

func TestRegistryOptions(t *testing.T) {
	text := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, tc := range map[string]struct {
		options registryOptions
		refusal string // "" is none
	}{
		"embedded":        {registryOptions{}, ""},
		"a host":          {registryOptions{address: "registry.example.com"}, ""},
		"a path":          {registryOptions{address: "registry.example.com:5000/team/apps/"}, ""},
		"nothing named":   {registryOptions{user: "ci", password: "x"}, "name it with --registry"},
		"a URL":           {registryOptions{address: "https://registry.example.com"}, "is not host[:port][/path]"},
		"a tag":           {registryOptions{address: "registry.example.com/apps:1"}, "is not host[:port][/path]"},
		"capitals":        {registryOptions{address: "registry.example.com/Apps"}, "is not host[:port][/path]"},
		"up":              {registryOptions{address: "registry.example.com/../apps"}, "is not host[:port][/path]"},
		"plain loopback":  {registryOptions{address: "localhost:5000", plainHTTP: true}, ""},
		"plain private":   {registryOptions{address: "10.1.2.3:5000/apps", plainHTTP: true}, ""},
		"plain public":    {registryOptions{address: "203.0.113.1:5000", plainHTTP: true}, "is neither: give the registry a certificate"},
		"plain by name":   {registryOptions{address: "registry.example.com", plainHTTP: true}, "is neither: give the registry a certificate"},
		"no password":     {registryOptions{address: "registry.example.com", user: "ci"}, "belong together"},
		"no authority":    {registryOptions{address: "registry.example.com", ca: text("ca.pem", "nothing")}, "has no certificate in PEM"},
		"no such file":    {registryOptions{address: "registry.example.com", auth: "/no/such/file"}, "the file of --registry-auth cannot be used"},
		"a strange file":  {registryOptions{address: "registry.example.com", auth: text("auth.json", "[]")}, "not JSON with auths"},
		"a useful file":   {registryOptions{address: "registry.example.com", auth: text("auth.json", `{"auths":{}}`)}, ""},
		"beside the file": {registryOptions{address: "registry.example.com", auth: text("auth.json", `{"auths":{}}`), user: "ci", password: "x"}, ""},
	} {
		err := tc.options.check()
		if err == nil {
			err = tc.options.checkLogin()
		}
		if (err == nil) != (tc.refusal == "") || err != nil && (delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), tc.refusal)) {
			t.Errorf("%s: %v, want %q", name, err, tc.refusal)
		}
	}
}

// The user is for the whole registry, and a login of the file for what it names.
func TestTheMostSpecificLoginWins(t *testing.T) {
	auth := filepath.Join(t.TempDir(), "auth.json")
	if err := os.WriteFile(auth, []byte(`{"auths": {"registry.example.com/apps/shop": {"username": "shop", "password": "1"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := registryOptions{address: "registry.example.com/apps", user: "ci", password: "2", auth: auth}.endpoint()
	if err != nil {
		t.Fatal(err)
	}
	for repository, want := range map[string]image.Login{
		"shop": {Username: "shop", Password: "1"}, "cart": {Username: "ci", Password: "2"},
	} {
		if _, got := e.Logins.For(e.Registry + "/" + repository); got != want {
			t.Errorf("%s: %+v, want %+v", repository, got, want)
		}
	}
}
