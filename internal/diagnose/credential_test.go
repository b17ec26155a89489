package diagnose

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDiscreet(t *testing.T) {
	for in, want := range map[string]string{
		"fatal: unable to access 'https://bot:s3cr3t@git.example.com/a.git/': 403":   "fatal: unable to access 'https://***@git.example.com/a.git/': 403",
		"fatal: https://s3cr3t@git.example.com/a.git not found":                      "fatal: https://***@git.example.com/a.git not found",
		"npm error 401 https://u:p%40ss@npm.example.com/x":                           "npm error 401 https://***@npm.example.com/x",
		"npm error //npm.example.com/:_authToken=npm_s3cr3t":                         "npm error //npm.example.com/:_authToken=***",
		"GET https://x.example.com/a?private_token=s3cr3t&b=1 failed":                "GET https://x.example.com/a?private_token=***&b=1 failed",
		"redirect=https%3A%2F%2Fbot%3As3cr3t%40git.example.com%2Fa":                  "redirect=https%3A%2F%2F***%40git.example.com%2Fa",
		"> Authorization: Bearer s3cr3t":                                             "> Authorization: Bearer ***",
		`{"authorization":"Basic czNjcjN0"}`:                                         `{"authorization":"Basic ***"}`,
		"Could not transfer artifact from https://ci:s3cr3t@repo.example.com/maven2": "Could not transfer artifact from https://***@repo.example.com/maven2",
		"see https://nodejs.org and write to ann@example.com":                        "see https://nodejs.org and write to ann@example.com",
		"git@git.example.com:team/shop.git":                                          "git@git.example.com:team/shop.git",
		"src/a.ts(3,7): error TS2322: Type 'string' is not assignable":               "src/a.ts(3,7): error TS2322: Type 'string' is not assignable",
	} {
		if got := Discreet(in); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", in, got, want)
		}
	}
}

// No password of a URL reaches a Cause, however the URL is written and wherever
// the line is cut.
func TestNoCredentialReachesACause(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.StringMatching(`[A-Za-z0-9!~^]{8,24}`).Draw(t, "password")
		user := rapid.StringMatching(`[a-z]{0,6}`).Draw(t, "user")
		raw := "https://" + user + ":" + password + "@host.example.com/team/shop.git"
		if rapid.Bool().Draw(t, "encoded") {
			raw = url.QueryEscape(raw)
		}
		before := rapid.SampledFrom([]string{
			"fatal: unable to access '", "npm error 404 Not Found - GET ", "[ERROR] Could not transfer artifact from ",
			"error: ", "Caused by: java.io.IOException: ", strings.Repeat("e", 180) + ": error: ",
		}).Draw(t, "before")
		pad := strings.Repeat("x", rapid.IntRange(0, 120).Draw(t, "pad"))
		line := before + pad + " " + raw + rapid.SampledFrom([]string{"", "'", ": 403", " (retrying)"}).Draw(t, "after")
		out := &Sample{}
		out.Add(line)
		c := Failure{Step: "build", Exit: 1, Output: out}.Cause()
		crash := Crash{Code: "app.crashed", Reason: line, Exited: true, Output: []string{line}}.Cause()
		said := append(append([]string{c.Text, c.Next, crash.Text, Line(line)}, c.Evidence...), crash.Evidence...)
		for _, args := range []map[string]string{c.Args, crash.Args, c.In("zh").Args} {
			for _, v := range args {
				said = append(said, v)
			}
		}
		said = append(said, c.In("zh").Text, crash.In("zh").Text)
		for _, text := range said {
			if strings.Contains(text, password[:4]) {
				t.Fatalf("%q shows %q", text, password)
			}
		}
	})
}
