package github

import (
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/forge"
)

// Config of a Client.
type Config struct {
	// URL is https://github.com, or the address of a GitHub Enterprise Server.
	URL string
	// Token may write commit statuses.
	Token string
	// Timeout bounds one call; 0 means 10 seconds.
	Timeout time.Duration
}

// maxDescription is GitHub's limit in runes.
const maxDescription = 140

// NewClient returns a client of one GitHub; nothing is called yet.
func NewClient(c Config) (*forge.StatusClient, error) {
	url, api := c.URL, "/api/v3"
	if strings.TrimSuffix(url, "/") == "https://github.com" {
		url, api = "https://api.github.com", ""
	}
	return forge.NewStatusClient(forge.Config{
		Forge: "GitHub", URL: url, API: api, Token: c.Token, Scheme: "Bearer", Timeout: c.Timeout,
		Accept: "application/vnd.github+json",
		Needs:  "the permission to write commit statuses (scope repo:status)",
	}, maxDescription)
}
