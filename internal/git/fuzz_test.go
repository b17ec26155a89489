package git

import (
	"errors"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

// FuzzRefs: of whatever a server lists, only names with the id of an object count.
func FuzzRefs(f *testing.F) {
	f.Add("0123456789012345678901234567890123456789\trefs/heads/main\n")
	f.Add("ref: refs/heads/main\tHEAD\n0123456789012345678901234567890123456789\tHEAD\n")
	f.Add("\t\n\n\x00")
	f.Fuzz(func(t *testing.T, out string) {
		refs := parseRefs(out)
		if len(refs) > strings.Count(out, "\t") {
			t.Fatalf("%d refs", len(refs))
		}
		for ref, sha := range refs {
			if checkSHA(sha) != nil || strings.Contains(ref, "\n") || !strings.Contains(out, sha+"\t"+ref) {
				t.Errorf("%q is %q", ref, sha)
			}
		}
	})
}

// FuzzClassify: whatever git and the server on the other side print, the error has
// a kind, is bounded, and holds no credential.
func FuzzClassify(f *testing.F) {
	f.Add("fatal: unable to access 'https://u:geheim@git.example.com/x.git/': The requested URL returned error: 401")
	f.Add("remote: \x1b]52;c;AAAA\x07\nfatal: not our ref")
	f.Add("://geheim@ ://@ ://:@x")
	f.Fuzz(func(t *testing.T, output string) {
		if len(output) > maxStderr {
			return
		}
		p := process{endpoint: endpoint{secrets: []string{"geheim", ""}}}
		var known *delivery.Error
		err := classify("fetch", p.scrub(output), errors.New("exit status 128"))
		if !errors.As(err, &known) || known.Msg == "" {
			t.Fatalf("no kind: %v", err)
		}
		if text := err.Error(); strings.Contains(text, "geheim") || strings.Contains(known.Msg, output) && output != "" && len(output) > 3 {
			t.Errorf("%q", text)
		}
	})
}
