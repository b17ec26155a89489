package catalog

import (
	"fmt"

	"github.com/shiplock/shiplock/internal/delivery"
)

// retentionName is the name of the one Retention of an installation.
const retentionName = "default"

const maxKeptRuns = 10_000

func checkRetention(name string, r delivery.Retention, bad report) {
	if name != "" && name != retentionName {
		bad("metadata.name", fmt.Sprintf("there is one Retention, for everything: name it %q", retentionName))
	}
	bad.within("spec.runs", r.Runs, 0, maxKeptRuns)
}
