package image

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// cache is small facts in files, each under a digest of its subject. It only
// saves work: a fact that cannot be read or written is a fact not known.
type cache struct {
	dir string // "" knows nothing
}

func (c cache) on() bool { return c.dir != "" }

// get reads the fact of a kind about a subject into v.
func (c cache) get(kind, subject string, v any) bool {
	if !c.on() {
		return false
	}
	content, err := os.ReadFile(c.path(kind, subject))
	return err == nil && json.Unmarshal(content, v) == nil
}

func (c cache) put(kind, subject string, v any) {
	if !c.on() || os.MkdirAll(filepath.Join(c.dir, kind), 0o755) != nil {
		return
	}
	f, err := os.CreateTemp(c.dir, "new-*")
	if err != nil {
		return
	}
	_, writeErr := f.Write(mustJSON(v))
	if f.Close() != nil || writeErr != nil || os.Rename(f.Name(), c.path(kind, subject)) != nil {
		os.Remove(f.Name())
	}
}

func (c cache) path(kind, subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return filepath.Join(c.dir, kind, hex.EncodeToString(sum[:]))
}

// The three kinds of facts.
const (
	stampFacts = "stamps" // stamp of a tree → diffID
	layerFacts = "layers" // diffID → layerID
	skipFacts  = "skips"  // layer digest and path → the layer holds nothing there
)

func (c cache) byStamp(s stamp) (layerID, bool) {
	var diff v1.Hash
	if !s.usable || !c.get(stampFacts, s.sum, &diff) {
		return layerID{}, false
	}
	return c.byDiffID(diff)
}

func (c cache) byDiffID(diff v1.Hash) (layerID, bool) {
	var id layerID
	ok := c.get(layerFacts, compressor+diff.String(), &id)
	return id, ok && id.DiffID == diff && id.Size > 0
}

func (c cache) putLayer(id layerID) { c.put(layerFacts, compressor+id.DiffID.String(), id) }
