package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// digestPrefix is the only algorithm kept here.
const digestPrefix = "sha256:"

func contentKey(digest string) string {
	h := hexOf(digest)
	return "blobs/sha256/" + h[:2] + "/" + h
}

func linkKey(repo, digest string) string     { return "repos/" + repo + "/_blobs/" + hexOf(digest) }
func manifestsDir(repo string) string        { return "repos/" + repo + "/_manifests" }
func manifestKey(repo, digest string) string { return manifestsDir(repo) + "/" + hexOf(digest) }
func tagsDir(repo string) string             { return "repos/" + repo + "/_tags" }
func tagKey(repo, tag string) string         { return tagsDir(repo) + "/" + tag }
func referrersDir(repo, subject string) string {
	return "repos/" + repo + "/_referrers/" + hexOf(subject)
}
func uploadsDir(repo string) string    { return "repos/" + repo + "/_uploads" }
func uploadKey(repo, id string) string { return uploadsDir(repo) + "/" + id }

func hexOf(digest string) string { return strings.TrimPrefix(digest, digestPrefix) }

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return digestPrefix + hex.EncodeToString(sum[:])
}
