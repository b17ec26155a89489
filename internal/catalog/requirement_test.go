package catalog

import (
	"strings"
	"testing"
)

func TestRequirements(t *testing.T) {
	for requires, want := range map[string]string{
		`{gate: passed}`:                   "",
		`{environment: pre, gate: passed}`: "",
		`{gate: green}`:                    `"green" is not known here`,
		`{gate: passed, same: commit}`:     "environment is missing",
		`{healthyFor: 10m}`:                "environment is missing",
	} {
		_, err := Parse("e.yaml", []byte("apiVersion: shiplock/v1\nkind: Environment\nmetadata: {name: prod}\nspec: {branch: release, requires: "+requires+"}\n"))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", requires, err, want)
		}
	}
}
