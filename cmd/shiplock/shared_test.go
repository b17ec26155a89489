package main

import (
	"path/filepath"
	"sync"
	"testing"
)

// Servers that start at once on a new data directory agree on its name.
func TestDataIDIsOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "installation")
	ids := make([]string, 16)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			var err error
			if ids[i], err = dataID(path); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("names %q", ids)
		}
	}
	left, err := filepath.Glob(path + ".*")
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
