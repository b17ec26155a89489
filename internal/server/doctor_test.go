package server

import (
	"errors"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/checkup"
)

// The doctor says what the examiner saw, and what the server itself knows of hooks.
func TestDoctor(t *testing.T) {
	w := newWorld(t)
	w.examiner = seen{
		Database: checkup.Database{Kind: "SQLite"}, Disk: checkup.Disk{Path: "/data", Free: 1, Total: 2},
		Registry: checkup.Registry{Address: "registry.test", Err: errors.New("no basic auth credentials")},
	}
	var d api.Doctor
	w.ok("GET", "/api/v1/doctor", nil, &d)
	says := map[delivery.Level]string{}
	for _, f := range d.Findings {
		says[f.Level] += f.Area + ": " + f.Found.Text + "\n"
	}
	if d.Worst != delivery.LevelBad || d.Version != "test" || d.Now.IsZero() {
		t.Errorf("%+v", d)
	}
	for level, want := range map[delivery.Level]string{
		delivery.LevelOK: "database: SQLite", delivery.LevelWarn: "hooks: no hook ever came for shop", delivery.LevelBad: "no basic auth credentials",
	} {
		if !strings.Contains(says[level], want) {
			t.Errorf("%s is said of\n%s\nand not of %q", level, says[level], want)
		}
	}
}
