package registry

import (
	"path"
	"strings"
	"testing"
)

func TestRepositoryNamesMayHoldEndpointWords(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	id := strings.Repeat("A", 26)
	for in, want := range map[string]target{
		"/v2/":                           {ping, "", ""},
		"/v2":                            {ping, "", ""},
		"/v2/_catalog":                   {catalog, "", ""},
		"/v2/a/b/tags/list":              {tags, "a/b", ""},
		"/v2/tags/list/tags/list":        {tags, "tags/list", ""},
		"/v2/blobs/manifests/v1":         {manifests, "blobs", "v1"},
		"/v2/manifests/manifests/v1":     {manifests, "manifests", "v1"},
		"/v2/a/blobs/" + digest:          {blobs, "a", digest},
		"/v2/a/blobs/uploads/":           {uploads, "a", ""},
		"/v2/a/blobs/uploads":            {uploads, "a", ""},
		"/v2/a/blobs/uploads/" + id:      {uploads, "a", id},
		"/v2/blobs/blobs/uploads/" + id:  {uploads, "blobs", id},
		"/v2/a/referrers/" + digest:      {referrers, "a", digest},
		"/v2/a/b__c/d.e/f-g/manifests/L": {manifests, "a/b__c/d.e/f-g", "L"},
	} {
		if got, err := parsePath(in); err != nil || got != want {
			t.Errorf("parsePath(%q) = %+v, %v; want %+v", in, got, err, want)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	f.Add("/v2/a/b/blobs/uploads/")
	f.Add("/v2/a/manifests/latest")
	f.Add("/v2/../x/blobs/sha256:00")
	f.Fuzz(func(t *testing.T, in string) {
		got, err := parsePath(in)
		if err != nil || got.repo == "" {
			return
		}
		for _, key := range []string{tagKey(got.repo, "t"), uploadKey(got.repo, got.ref)} {
			if path.Clean(key) != key && got.ref != "" || !strings.HasPrefix(key, "repos/"+got.repo+"/_") {
				t.Errorf("%q leads to key %q", in, key)
			}
		}
		if strings.Contains(got.ref, "/") {
			t.Errorf("%q: reference %q holds a slash", in, got.ref)
		}
	})
}
