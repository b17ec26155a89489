//go:build e2e

// Package demo holds `shiplock demo --once -o json` to what it promises to scripts.
package demo

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/test/harness"
)

// report repeats the names of the promise on purpose: a renamed field must fail.
type report struct {
	OK       bool
	Problems []string
	Skipped  []struct{ App, Why string }
	Apps     []struct {
		App, Language string
		Digest        string
		Rebuilt       struct {
			Digest string
			Same   bool
		}
		Run struct {
			State string
			Steps []struct {
				Name, State string
				MS          *int64
			}
		}
		Releases []struct {
			Env, Strategy, State string
			Batches              []struct {
				Asked    int
				Measured float64
				Requests int
				Failed   *int
			}
		}
		Rollback struct {
			MS     *int64
			Failed *int
		}
		FailingBuild, CrashingVersion struct {
			State string
			Cause struct{ Text string }
		}
	}
}

func TestOnce(t *testing.T) {
	data := filepath.Join(t.TempDir(), "d")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, harness.Bin(t, "shiplock"), "demo", "--once", "-o", "json", "--data", data)
	var story strings.Builder
	cmd.Stderr = &story
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, story.String())
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !r.OK || len(r.Apps) == 0 {
		t.Fatalf("the demo fell short: %v\n%s", r.Problems, story.String())
	}
	for _, s := range r.Skipped {
		t.Logf("%s was left out: %s", s.App, s.Why)
	}
	for _, a := range r.Apps {
		if !strings.HasPrefix(a.Digest, "sha256:") || a.Rebuilt.Digest != a.Digest || !a.Rebuilt.Same {
			t.Errorf("%s: image %s, built again %+v", a.App, a.Digest, a.Rebuilt)
		}
		if a.Run.State != "succeeded" || len(a.Run.Steps) < 3 || a.Run.Steps[0].MS == nil {
			t.Errorf("%s: run %+v", a.App, a.Run)
		}
		canary := false
		for _, rel := range a.Releases {
			canary = canary || rel.Env == "prod" && rel.Strategy == "canary" && len(rel.Batches) == 2 && rel.Batches[0].Asked == 25
			for _, b := range rel.Batches {
				if b.Requests < 400 || b.Failed == nil || *b.Failed != 0 {
					t.Errorf("%s: batch %+v", a.App, b)
				}
			}
		}
		if !canary {
			t.Errorf("%s: no canary of 25 %% and then all: %+v", a.App, a.Releases)
		}
		if a.Rollback.MS == nil || *a.Rollback.MS > 2000 || a.Rollback.Failed == nil || *a.Rollback.Failed != 0 {
			t.Errorf("%s: rollback %+v", a.App, a.Rollback)
		}
		if a.FailingBuild.State != "failed" || a.FailingBuild.Cause.Text == "" || a.CrashingVersion.State != "failed" || a.CrashingVersion.Cause.Text == "" {
			t.Errorf("%s: %+v, %+v", a.App, a.FailingBuild, a.CrashingVersion)
		}
	}
	if _, err := os.Stat(filepath.Join(data, "data", "shiplock.db")); err != nil {
		t.Errorf("--data keeps everything: %v", err)
	}
}
