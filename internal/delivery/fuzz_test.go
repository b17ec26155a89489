package delivery

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// What is accepted as a time or a hold is accepted again as it is written, and a
// refusal stays short.
func FuzzDuration(f *testing.F) {
	for _, s := range []string{"90s", "1h30m", "-1s", "manual", "none", "", "9999999h", "1.5us", "1e9s", "ما"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var d, again Duration
		if err := d.UnmarshalText([]byte(s)); err == nil {
			text, _ := d.MarshalText()
			if err := again.UnmarshalText(text); err != nil || again != d || d < 0 {
				t.Errorf("%q is %v, and then %v, %v", s, d, again, err)
			}
		} else if KindOf(err) != Invalid || len(err.Error()) > 400 {
			t.Errorf("%q: %v", s, err)
		}
		var h, same Hold
		if err := h.UnmarshalText([]byte(s)); err == nil {
			text, _ := h.MarshalText()
			if err := same.UnmarshalText(text); err != nil || same != h || h.Manual && h.For != 0 {
				t.Errorf("%q is %v, and then %v, %v", s, h, same, err)
			}
		} else if KindOf(err) != Invalid {
			t.Errorf("%q: %v", s, err)
		}
	})
}

// Spellings of a repository that differ in what does not matter are the same one,
// and no two hosts or paths are.
func FuzzRepo(f *testing.F) {
	for _, s := range []string{
		"https://git.example.com/team/shop.git", "git@git.example.com:team/shop.git", "ssh://git@git.example.com:22/team/shop/",
		"team/shop", "file:///srv/git/shop.git", "", "://", "@:/", "https://user:secret@host/a",
	} {
		f.Add(s, "https://git.example.com/team/shop")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		ca, cb := canonicalRepo(a), canonicalRepo(b)
		if ca != "" && !(Repo{CloneURL: a}).Is(a) {
			t.Errorf("%q is not itself", a)
		}
		if (Repo{CloneURL: a}).Is(b) != (Repo{CloneURL: b}).Is(a) && ca != "" && cb != "" {
			t.Errorf("%q and %q are the same one way only", a, b)
		}
		if (Repo{}).Is(a) {
			t.Errorf("nothing is %q", a)
		}
		if trimmed := strings.TrimSpace(a); utf8.ValidString(a) && !strings.HasSuffix(trimmed, "/") && !strings.HasSuffix(trimmed, ".git") && ca != canonicalRepo(trimmed+".git") {
			t.Errorf("%q differs from itself with .git", a)
		}
	})
}

// FuzzQuantity: what is taken for an amount is more than nothing, stays as it was
// written, and is as large as itself.
func FuzzQuantity(f *testing.F) {
	for _, s := range []string{"500m", "2", "1.5Gi", "0", "-1", "1e3", "9E", ".5", "1.", "100000000000000000000000Ei"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var q Quantity
		if err := q.UnmarshalText([]byte(s)); err != nil {
			if KindOf(err) != Invalid {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if string(q) != s || q.Compare(q) != 0 || q.Compare("0") <= 0 {
			t.Errorf("%q is %q", s, q)
		}
	})
}
