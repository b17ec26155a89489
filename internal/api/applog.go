package api

import (
	"fmt"

	"github.com/shiplock/shiplock/internal/delivery"
)

// AppLine is one line of an app's instances. A stream of them has events EventLines, each
// with a list, and EventEnd with an AppLogEnd.
type AppLine struct {
	delivery.AppLine
	// Version is the revision as people know it, such as #12.
	Version string `json:"version,omitempty"`
}

// AppLogEnd says why a stream of lines has ended; Problem is empty when all was read.
type AppLogEnd struct {
	Problem string `json:"problem,omitempty"`
}

// VersionIn is how people know a revision of a Target.
func VersionIn(t delivery.Target, id delivery.RevisionID) string {
	if r := revisionIn(t, id); r.RunNumber > 0 {
		return fmt.Sprintf("#%d", r.RunNumber)
	}
	return id.Short()
}
