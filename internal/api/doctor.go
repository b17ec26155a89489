package api

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Doctor is what a server finds when it checks its installation.
type Doctor struct {
	// Worst is the level of the worst finding.
	Worst    delivery.Level     `json:"worst" enum:"ok,warn,bad"`
	Findings []delivery.Finding `json:"findings"`
	// Now is the server's clock.
	Now     time.Time `json:"now"`
	Version string    `json:"version"`
}
