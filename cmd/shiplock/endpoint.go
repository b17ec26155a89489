package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/shiplock/shiplock/internal/image"
)

// endpoint is where a running server's registry is found, and how to read from it.
// It is a file beside the data, because the supervisor outlives servers and their
// addresses.
type endpoint struct {
	// Registry is host:port, and the path above all repositories if there is one.
	Registry  string     `json:"registry"`
	PlainHTTP bool       `json:"plainHTTP,omitempty"`
	CA        string     `json:"ca,omitempty"`
	Logins    image.Keys `json:"logins"`
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

// client returns an image client that may do in the registry what the server may.
func (e endpoint) client(cache string) *image.Client {
	host, _, _ := strings.Cut(e.Registry, "/")
	return image.New(image.Config{
		Registry: image.Registry{Host: host, PlainHTTP: e.PlainHTTP, CA: []byte(e.CA), Login: e.Logins.Login},
		CacheDir: cache,
	})
}
