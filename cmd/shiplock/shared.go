package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// claimData refuses a database whose logs, images and running attempts are in another
// data directory: a server without them would take them for lost.
func (in *instance) claimData(ctx context.Context) error {
	if in.opts.database == "" {
		return nil // the database is in the directory itself
	}
	own, err := dataID(in.path("installation"))
	if err != nil {
		return err
	}
	first, err := in.store.SetMetaOnce(ctx, "data.id", own)
	if err == nil && first != own {
		err = delivery.E(delivery.Conflict, "the database belongs to another data directory than "+in.opts.data+": servers of one database share one directory, so give all of them the same --data, or this one a database of its own")
	}
	return err
}

// dataID reads what names a data directory, and names a new one. Of several servers
// that start at once the first one names it.
func dataID(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the data directory's name: %w", err)
	}
	id := newID()
	tmp := path + "." + id
	if err := os.WriteFile(tmp, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("name the data directory: %w", err)
	}
	defer os.Remove(tmp)
	if err := os.Link(tmp, path); err != nil && !errors.Is(err, fs.ErrExist) { // never replaces one that is there
		return "", fmt.Errorf("name the data directory: %w", err)
	}
	return dataID(path)
}
