package cache

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Config of a Store.
type Config struct {
	// Dir is made when it is needed. It must be an absolute path.
	Dir string
	// Limit bounds the bytes of all snapshots, each counted as if it shared nothing;
	// 0 is no limit. Only Sweep looks at it.
	Limit int64
	// SnapshotLimit bounds the bytes of one snapshot; 0 is no limit.
	SnapshotLimit int64
	// Others are directories of Stores that are only read from.
	Others []string
	Now    func() time.Time
}

// Store is a directory of snapshots. Any number of processes may use one at a time.
type Store struct{ Config }

// New returns a Store; it touches nothing.
func New(c Config) *Store {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Store{c}
}

// sources are the Stores that snapshots are looked for in, this one first.
func (s *Store) sources() []*Store {
	all := []*Store{s}
	for _, dir := range s.Others {
		c := s.Config
		c.Dir, c.Others = dir, nil
		all = append(all, &Store{c})
	}
	return all
}

// Names in a snapshot's directory.
const (
	treeDir     = "tree"
	metaFile    = "meta.json"
	leaseFile   = "lease"
	durableFile = "durable"
)

// Names in a Store's directory.
const (
	snapshotsDir = "snapshots"
	coldDir      = "cold"
	tmpDir       = "tmp"
	trashDir     = "trash"
)

// Place is where snapshots of one folder are kept: their trust domain, the Stack and
// the cache's name.
type Place struct{ Domain, Stack, Name string }

// check refuses names that are no single folders.
func (p Place) check() error {
	for _, name := range []string{p.Domain, p.Stack, p.Name} {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") {
			return delivery.E(delivery.Invalid, fmt.Sprintf("%q names no cache", name))
		}
	}
	return nil
}

func (p Place) in(s *Store) string {
	return filepath.Join(s.Dir, snapshotsDir, p.Domain, p.Stack, p.Name)
}

// Key says for what a snapshot fits: the digests of the files that decide.
type Key struct {
	Digest string `json:"digest"`
	// Files have the digest of each, by name.
	Files map[string]string `json:"files,omitempty"`
}

// Changed names the files that differ between two keys, in order.
func (k Key) Changed(other Key) []string {
	var names []string
	for name, digest := range k.Files {
		if other.Files[name] != digest {
			names = append(names, name)
		}
	}
	for name := range other.Files {
		if _, both := k.Files[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Meta says what a snapshot is.
type Meta struct {
	// App and Run made it, at At.
	App   string    `json:"app"`
	Run   string    `json:"run"`
	At    time.Time `json:"at"`
	Key   Key       `json:"key"`
	Bytes int64     `json:"bytes"`
	Files int       `json:"files"`
	// Boot is the machine's boot in which it was written.
	Boot string `json:"boot"`
}

// newID is a name that sorts by time and is nobody else's.
func (s *Store) newID() string {
	return fmt.Sprintf("%016x-%s", s.Now().UnixNano(), strings.ToLower(rand.Text()[:8]))
}

// snapshot is a snapshot's directory with its description.
type snapshot struct {
	Place
	Meta
	id, dir string
}

func (s *Store) open(p Place, id string) (snapshot, error) {
	sn := snapshot{Place: p, id: id, dir: filepath.Join(p.in(s), id)}
	text, err := os.ReadFile(filepath.Join(sn.dir, metaFile))
	if err == nil {
		err = json.Unmarshal(text, &sn.Meta)
	}
	if err == nil && sn.Boot != boot() && !exists(filepath.Join(sn.dir, durableFile)) {
		err = errors.New("the machine went down before it was on disk")
	}
	if err != nil {
		return sn, fmt.Errorf("read snapshot %s: %w", sn.dir, err)
	}
	return sn, nil
}

// ids lists the snapshots of a place, the newest first.
func (s *Store) ids(p Place) ([]string, error) {
	names, err := dirNames(p.in(s))
	slices.Reverse(names)
	return names, err
}

// dirNames lists the folders in dir, in order; none when there is no dir.
func dirNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// places lists where there are snapshots, or were.
func (s *Store) places() ([]Place, error) {
	var all []Place
	root := filepath.Join(s.Dir, snapshotsDir)
	domains, err := dirNames(root)
	for _, domain := range domains {
		stacks, stackErr := dirNames(filepath.Join(root, domain))
		err = errors.Join(err, stackErr)
		for _, stack := range stacks {
			names, nameErr := dirNames(filepath.Join(root, domain, stack))
			err = errors.Join(err, nameErr)
			for _, name := range names {
				all = append(all, Place{domain, stack, name})
			}
		}
	}
	return all, err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// boot names this boot of the machine; "" when the kernel does not say.
func boot() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
}
