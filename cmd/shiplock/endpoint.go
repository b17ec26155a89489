package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/shiplock/shiplock/internal/image"
)

// endpoint is where a running server's registry is found, and how to read from it.
// It is a file beside the data, because the supervisor outlives servers and their
// addresses.
type endpoint struct {
	Registry string `json:"registry"`
	Username string `json:"username"`
	Password string `json:"password"`
}

func endpointFile(data string) string { return filepath.Join(data, "endpoint.json") }

// write replaces the file in one step.
func (e endpoint) write(data string) error {
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode the endpoint: %w", err)
	}
	tmp := endpointFile(data) + ".new"
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		return fmt.Errorf("write the endpoint: %w", err)
	}
	if err := os.Rename(tmp, endpointFile(data)); err != nil {
		return fmt.Errorf("write the endpoint: %w", err)
	}
	return nil
}

func readEndpoint(data string) (endpoint, error) {
	var e endpoint
	text, err := os.ReadFile(endpointFile(data))
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	if err != nil {
		return e, fmt.Errorf("read where the registry is: %w", err)
	}
	return e, nil
}

// client returns an image client that may read from the registry.
func (e endpoint) client(cache string) *image.Client {
	return image.New(image.Config{
		Logins:   map[string]image.Login{e.Registry: {Username: e.Username, Password: e.Password}},
		CacheDir: cache,
	})
}
