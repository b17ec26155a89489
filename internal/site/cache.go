package site

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"
)

// cacheControl lets clients keep a file for good when its name changes with its
// content, and else ask each time whether it has changed.
func cacheControl(name string) string {
	if hashed(path.Base(name)) {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache"
}

const (
	base64Hash = 8 // characters, of Vite, Rollup and esbuild
	hexHash    = 8 // at least, of webpack and others
)

// hashed tells whether a build put a hash of the content into a file's name, as in
// index-BT3k_x7Q.js or main.3f2a9c1b.css. Rather none than a wrong one: a hash
// without a digit, or without a letter, is none here, since words and dates look
// like that.
func hashed(base string) bool {
	stem, _, ok := strings.Cut(base, ".")
	if strings.HasSuffix(base, ".html") || !ok {
		return false
	}
	for part := range strings.SplitSeq(base[:strings.LastIndexByte(base, '.')], ".") {
		if isHash(part, hexHash, "0123456789abcdef") {
			return true
		}
	}
	if i := len(stem) - base64Hash - 1; i > 0 && stem[i] == '-' && mixed(stem[i+1:]) {
		return true
	}
	i := strings.LastIndexAny(stem, "-_")
	return i > 0 && isHash(stem[i+1:], hexHash, "0123456789abcdef")
}

func isHash(s string, least int, alphabet string) bool {
	return len(s) >= least && strings.Trim(s, alphabet) == "" && strings.ContainsAny(s, "0123456789") && strings.Trim(s, "0123456789") != ""
}

// mixed tells a hash in base 64 from a word: it has a digit amid letters of both
// cases.
func mixed(s string) bool {
	digit, lower, upper := false, false, false
	for _, c := range s {
		switch {
		case '0' <= c && c <= '9':
			digit = true
		case 'a' <= c && c <= 'z':
			lower = true
		case 'A' <= c && c <= 'Z':
			upper = true
		case c != '-' && c != '_':
			return false
		}
	}
	return digit && lower && upper
}

// maxTagged is the largest file whose content is hashed for its tag.
const maxTagged = 64 << 20

// tags are the entity tags of files, made of their content: every replica, and
// every release that did not change a file, has the same.
type tags struct {
	mu    sync.Mutex
	known map[string]tagged
}

type tagged struct {
	size, modified int64
	tag            string
}

func newTags() *tags { return &tags{known: make(map[string]tagged)} }

// of returns the tag of an open file, which is left at its beginning.
func (t *tags) of(name string, info os.FileInfo, f *os.File) string {
	at := tagged{size: info.Size(), modified: info.ModTime().UnixNano()}
	t.mu.Lock()
	old, ok := t.known[name]
	t.mu.Unlock()
	if ok && old.size == at.size && old.modified == at.modified {
		return old.tag
	}
	at.tag = fmt.Sprintf(`"%x-%x"`, at.size, at.modified)
	if at.size <= maxTagged {
		h := sha256.New()
		if _, err := io.Copy(h, io.NewSectionReader(f, 0, at.size)); err == nil {
			at.tag = `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12]) + `"`
		}
	}
	t.mu.Lock()
	t.known[name] = at
	t.mu.Unlock()
	return at.tag
}
