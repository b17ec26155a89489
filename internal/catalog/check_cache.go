package catalog

import (
	"fmt"
	"path"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Bounds of a stack's caches.
const (
	maxCaches = 10
	maxKeys   = 20
)

func checkCaches(field string, caches []delivery.Cache, bad report) {
	if len(caches) > maxCaches {
		bad(field, fmt.Sprintf("a stack has at most %d caches", maxCaches))
	}
	for i, c := range caches {
		at := fmt.Sprintf("%s[%d]", field, i)
		bad.err(at+".name", delivery.CheckLabel("a cache", c.Name))
		if c.Path == "" {
			bad(at, "path is missing: write the folder below HOME where the tool keeps its cache, such as .m2/repository")
		} else {
			bad.relative(at+".path", c.Path)
		}
		for _, other := range caches[:i] {
			if other.Name == c.Name {
				bad(at+".name", fmt.Sprintf("another cache has the name %q already: choose another", clip(c.Name)))
			}
			if c.Path != "" && nested(c.Path, other.Path) {
				bad(at+".path", fmt.Sprintf("%q and %q are one inside the other: name the outer one only", clip(other.Path), clip(c.Path)))
			}
		}
		checkKeys(at+".keys", c.Keys, bad)
	}
}

func checkKeys(field string, keys []string, bad report) {
	if len(keys) > maxKeys {
		bad(field, fmt.Sprintf("a cache has at most %d keys: write patterns that take in several files", maxKeys))
	}
	for i, k := range keys {
		at := fmt.Sprintf("%s[%d]", field, i)
		if k == "" {
			bad(at, "a key is empty: write a pattern of files such as go.sum or **/pom.xml")
			continue
		}
		bad.relative(at, k)
		if _, err := path.Match(k, ""); err != nil || path.Base(k) == "**" {
			bad(at, fmt.Sprintf("%q is not a pattern of files: write it like go.sum or **/pom.xml", clip(k)))
		}
	}
}

func nested(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}
