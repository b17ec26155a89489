package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Folder is a folder of a build's HOME that is filled from a snapshot.
type Folder struct {
	// Dir is the folder. It must be empty, or not there.
	Dir string
	// Scratch is an empty folder, or none, on the disk of Dir that belongs to it.
	Scratch string
	// Mount allows to mount an overlay: this process has mounts of its own.
	Mount bool
}

// Restored is a Folder that was filled.
type Restored struct {
	Folder
	From *Snapshot
	// How is one of the delivery.Restored constants.
	How string
	// NoOverlay is why no overlay was mounted although it was allowed.
	NoOverlay error

	placed map[string]stamp // of a copy: the files as they were made
}

// Restore fills a folder from a snapshot: by an overlay where it is allowed and
// works, or else by a copy, whose files share their blocks where the disk can.
func Restore(ctx context.Context, from *Snapshot, f Folder) (*Restored, error) {
	r := &Restored{Folder: f, From: from}
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a cache's folder: %w", err)
	}
	tree := filepath.Join(from.dir, treeDir)
	if f.Mount {
		if r.NoOverlay = overlay(tree, f); r.NoOverlay == nil {
			r.How = delivery.RestoredOverlay
			return r, nil
		}
	}
	c := &copier{from: tree, to: f.Dir, stamps: true}
	if err := c.run(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("copy a cache: %w", err), removeAll(f.Dir))
	}
	r.How, r.placed = c.how(), c.placed
	return r, nil
}

// upper is where an overlay keeps what was written to it.
func (f Folder) upper() string { return filepath.Join(f.Scratch, "upper") }

// touched tells whether a file of the folder may differ from the snapshot's.
func (r *Restored) touched(rel string, now stamp) bool {
	if r.How == delivery.RestoredOverlay {
		return exists(filepath.Join(r.upper(), rel))
	}
	before, there := r.placed[rel]
	return !there || before != now
}
