package runner

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/diagnose"
)

// No secret is in any part of a Cause that leaves the runner, in no language, however
// a tool wrote it: as it is, line by line, percent-encoded, in base64, or in a URL.
func TestNoSecretLeavesInACause(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.StringMatching(`[A-Za-z0-9/+@:%]{8,40}`), 1, 4).Draw(t, "lines")
		secret := strings.Join(lines, "\n")
		written := rapid.SampledFrom([]func(string) string{
			func(s string) string { return s }, url.QueryEscape, url.PathEscape,
			func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
			func(s string) string { return "https://bot:" + url.PathEscape(s) + "@git.example.com/a.git" },
		}).Draw(t, "written")
		line := rapid.SampledFrom(lines).Draw(t, "line")
		said := "fatal: unable to access '" + strings.Repeat("x", rapid.IntRange(0, 300).Draw(t, "pad")) + written(line) + "': 403"
		j := &job{journal: &journal{masker: newMasker([]string{secret})}}
		out := &diagnose.Sample{}
		out.Add(j.text(said))                                                                                     // the output of a step is masked before it is looked at
		tests := &delivery.Tests{Failed: 1, Failures: []delivery.TestFailure{{Name: "T", Message: j.text(said)}}} // as maskTests does
		for _, c := range []delivery.Cause{
			diagnose.Failure{Step: "build", Exit: 1, Output: out}.Cause(),
			diagnose.Failure{Step: "test", Exit: 1, Tests: tests}.Cause(),
			*j.lost("checkout", diagnose.RunnerFailed, errorText(said)).cause,
		} {
			hidden := *j.hide(&c)
			for _, l := range []phrase.Lang{phrase.English, phrase.Chinese} {
				x := hidden.In(l)
				all := append([]string{x.Text, x.Next}, x.Evidence...)
				for _, v := range x.Args {
					all = append(all, v)
				}
				for _, text := range all {
					if strings.Contains(text, written(line)) || strings.Contains(text, line) {
						t.Fatalf("%q shows %q", text, line)
					}
				}
			}
		}
	})
}

// errorText is an error that says a text.
type errorText string

func (e errorText) Error() string { return string(e) }
