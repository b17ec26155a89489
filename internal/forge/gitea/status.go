package gitea

import (
	"time"

	"github.com/shiplock/shiplock/internal/forge"
)

// Config of a Client.
type Config struct {
	// URL is Gitea's address, with its relative root if it has one.
	URL string
	// Token is an access token with the scope write:repository.
	Token string
	// Timeout bounds one call; 0 means 10 seconds.
	Timeout time.Duration
}

// NewClient returns a client of one Gitea; nothing is called yet.
func NewClient(c Config) (*forge.StatusClient, error) {
	return forge.NewStatusClient(forge.Config{
		Forge: "Gitea", URL: c.URL, API: "/api/v1", Token: c.Token, Scheme: "token", Timeout: c.Timeout,
		Needs: "the scope write:repository and write access to the repository",
	}, forge.MaxText)
}
