package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/shiplock/shiplock/internal/deployer/local"
)

// saved is what a Target needs to come back after the supervisor was killed.
type saved struct {
	Wish  local.Wish  `json:"wish"`
	Port  int         `json:"port"`
	Slots []savedSlot `json:"slots"`
}

type savedSlot struct {
	ID       string        `json:"id"`
	Version  local.Version `json:"version"`
	Spec     string        `json:"spec"`
	Proven   bool          `json:"proven"`
	Ready    bool          `json:"ready"`
	Restarts int           `json:"restarts"`
	Port     int           `json:"port"`
	Process  identity      `json:"process"`
}

const stateFile = "target.json"

// save replaces the state in one step. Durable also survives a power cut; what
// is about processes need not, since those do not survive it either.
func (s saved) save(dir string, durable bool) (err error) {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	temp := filepath.Join(dir, stateFile+".new")
	if err := writeFile(temp, data, durable); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	if err := os.Rename(temp, filepath.Join(dir, stateFile)); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	if durable {
		return syncDir(dir)
	}
	return nil
}

func loadState(dir string) (saved, error) {
	var s saved
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("load state: %w", err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("load state of %s: %w", dir, err)
	}
	return s, nil
}

func writeFile(path string, data []byte, durable bool) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(data); err != nil || !durable {
		return err
	}
	return file.Sync()
}

func syncDir(dir string) (err error) {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return file.Sync()
}
