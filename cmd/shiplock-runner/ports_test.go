package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/internal/registry"
	"github.com/shiplock/shiplock/internal/runner"
	"github.com/shiplock/shiplock/internal/standard"
)

// The Dockerfile that people are shown and the image that is assembled say the
// same, line by line.
func TestTheImageIsWhatTheDockerfileSays(t *testing.T) {
	reg, err := registry.Open(registry.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(reg)
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")
	client := image.New(image.Config{})
	if _, err := client.BuildScratch(t.Context(), image.Scratch{Dest: host + "/base:1", Files: []image.File{{Path: "/etc/os", Data: []byte("x")}}}); err != nil {
		t.Fatal(err)
	}
	plan := delivery.ImagePlan{
		Base: host + "/base:1", Repository: "shop", Source: "start_env", Home: "/home/services",
		Port: 8080, Env: map[string]string{"PORT": "8080", "MOTTO": `a "b" $c`},
	}
	plan.Dockerfile = standard.Dockerfile(plan)
	dir := filepath.Join(t.TempDir(), "start_env")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "start.sh"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	built, err := client.Build(t.Context(), spec(runner.ImageRequest{
		Dir: dir, Plan: plan, Push: api.Push{Registry: host, Repository: "shop", PlainHTTP: true},
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(strings.Split(strings.TrimSpace(plan.Dockerfile), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "FROM ") || strings.HasPrefix(line, "#")
	})
	if got := history(t, built.Ref); !slices.Equal(got, want) {
		t.Errorf("the image says\n%s\nand the Dockerfile\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// history returns what made the image, without its base's own line.
func history(t *testing.T, ref string) []string {
	t.Helper()
	digest, err := name.NewDigest(ref)
	if err != nil {
		t.Fatal(err)
	}
	img, err := remote.Image(digest)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, h := range config.History[1:] {
		lines = append(lines, h.CreatedBy)
	}
	return lines
}
