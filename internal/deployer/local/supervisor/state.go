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
	promise
	slots []savedSlot
}

// promise is the part that must outlive a power cut too.
type promise struct {
	Wish local.Wish `json:"wish"`
	Port int        `json:"port"`
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

const (
	promiseFile = "target.json"
	slotsFile   = "slots.json"
)

// save returns once the promise is on the disk itself.
func (p promise) save(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("save wish: %w", err)
	}
	if err := replace(filepath.Join(dir, promiseFile), p, true); err != nil {
		return fmt.Errorf("save wish: %w", err)
	}
	return syncDir(dir)
}

// saveSlots need not reach the disk: processes do not survive a power cut either.
func saveSlots(dir string, slots []savedSlot) error {
	if err := replace(filepath.Join(dir, slotsFile), slots, false); err != nil {
		return fmt.Errorf("save instances: %w", err)
	}
	return nil
}

func loadPromise(dir string) (promise, error) {
	var p promise
	if err := loadJSON(filepath.Join(dir, promiseFile), &p); err != nil {
		return p, fmt.Errorf("load wish: %w", err)
	}
	return p, nil
}

func loadSlots(dir string) ([]savedSlot, error) {
	var slots []savedSlot
	err := loadJSON(filepath.Join(dir, slotsFile), &slots)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load instances: %w", err)
	}
	return slots, nil
}

func loadJSON(path string, value any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, value); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// replace writes a file anew in one step: a reader finds the old one or the new.
func replace(path string, value any, durable bool) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := writeFile(path+".new", data, durable); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
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
