package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// config is the saved log-in.
type config struct {
	Server string `json:"server"`
	Token  string `json:"token"`
}

func (c *console) configFile() (string, error) {
	if c.ConfigFile != "" {
		return c.ConfigFile, nil
	}
	dir := c.Getenv("XDG_CONFIG_HOME")
	if dir == "" {
		home := c.Getenv("HOME")
		if home == "" {
			return "", errors.New("neither XDG_CONFIG_HOME nor HOME is set: set one, or use SHIPLOCK_URL and SHIPLOCK_TOKEN")
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "shiplock", "config.json"), nil
}

// loadConfig returns the saved log-in; an empty one when there is none.
func (c *console) loadConfig() (config, error) {
	file, err := c.configFile()
	if err != nil {
		return config{}, nil // the environment may say all that is needed
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return config{}, nil
	}
	if err != nil {
		return config{}, err
	}
	var saved config
	if err := json.Unmarshal(data, &saved); err != nil {
		return saved, fmt.Errorf("%s is damaged: log in again (%w)", file, err)
	}
	return saved, nil
}

// saveConfig replaces the file at once, readable for nobody else.
func (c *console) saveConfig(saved config) (string, error) {
	file, err := c.configFile()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	data, err := json.MarshalIndent(saved, "", "  ")
	if err != nil {
		return "", err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".config-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(append(data, '\n'))
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(tmp.Name()))
	}
	return file, nil
}
