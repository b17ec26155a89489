package cache

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Cold is how long the steps of an app's build took without any cache.
type Cold struct {
	Run   string     `json:"run"`
	At    time.Time  `json:"at"`
	Steps []ColdStep `json:"steps"`
}

// ColdStep is a step that succeeded. Digest is of what it runs: another one is
// another step.
type ColdStep struct {
	Name   string        `json:"name"`
	Digest string        `json:"digest"`
	Took   time.Duration `json:"took"`
}

func (s *Store) coldFile(domain, stack, app string) (string, error) {
	p := Place{domain, stack, app}
	return filepath.Join(s.Dir, coldDir, domain, stack, app+".json"), p.check()
}

// Cold returns the newest cold build of an app that is known in the first of the
// domains that knows one; false when none is.
func (s *Store) Cold(domains []string, stack, app string) (c Cold, known bool) {
	for _, domain := range domains {
		for _, from := range s.sources() {
			path, err := from.coldFile(domain, stack, app)
			if err != nil {
				return Cold{}, false
			}
			text, err := os.ReadFile(path)
			if err == nil && json.Unmarshal(text, &c) == nil {
				return c, true
			}
		}
	}
	return Cold{}, false
}

// PutCold notes a cold build.
func (s *Store) PutCold(domain, stack, app string, c Cold) error {
	path, err := s.coldFile(domain, stack, app)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp := path + "." + s.newID()
	err = writeJSON(tmp, c)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		if removeErr := os.Remove(tmp); !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}
	return err
}
