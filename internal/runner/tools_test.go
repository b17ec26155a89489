package runner_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// A tool is looked at before the first script, on the PATH that the script sees.
func TestTools(t *testing.T) {
	t.Parallel()
	bin, jdk := t.TempDir(), t.TempDir()
	for path, says := range map[string]string{
		bin + "/go": "go version go1.26.0 linux/amd64", bin + "/java": `openjdk version "1.8.0_392"`, jdk + "/bin/java": `openjdk version "17.0.15"`, bin + "/mute": "",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+says+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		tool     delivery.Tool
		javaHome string
		code     string
		text     string // of the Cause, or in the log
	}{
		"fits":           {delivery.Tool{Name: "go", AtLeast: "1.22"}, "", "", "using go 1.26.0"},
		"any will do":    {delivery.Tool{Name: "mute"}, "", "", "$ true"},
		"does not tell":  {delivery.Tool{Name: "mute", AtLeast: "1"}, "", "", "warning: " + bin + "/mute does not tell its version; mute 1 or newer is wanted"},
		"too old":        {delivery.Tool{Name: "go", AtLeast: "1.30"}, "", "tool.version", "stack go-x needs go 1.30 or newer, and where the build runs it is 1.26.0"},
		"too new":        {delivery.Tool{Name: "go", Below: "1.26"}, "", "tool.version", "stack go-x needs go older than 1.26, and where the build runs it is 1.26.0"},
		"missing":        {delivery.Tool{Name: "gone", AtLeast: "3"}, "", "tool.missing", "stack go-x needs gone 3 or newer, which is not installed where the build runs"},
		"old Java":       {delivery.Tool{Name: "java", AtLeast: "17"}, "", "tool.version", "stack go-x needs java 17 or newer, and where the build runs it is 8.0"},
		"JAVA_HOME wins": {delivery.Tool{Name: "java", AtLeast: "17"}, jdk, "", "using java 17.0.15"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, script("build", "true"), script("test", "true"))
			s.assignment.Plan.Stack, s.assignment.Plan.Tools = "go-x", []delivery.Tool{c.tool}
			launch(t, s, "PATH="+bin+":/usr/bin:/bin", "JAVA_HOME="+c.javaHome).exit(t)
			finish, _ := s.end()
			log := s.text("sys")
			switch {
			case c.code == "" && (finish.Outcome != api.OutcomeSucceeded || !slices.Contains(log, c.text)):
				t.Errorf("%s, %+v, log:\n%s", finish.Outcome, finish.Cause, strings.Join(log, "\n"))
			case c.code != "" && (finish.Outcome != api.OutcomeFailed || finish.Cause.Code != c.code || finish.Cause.Text != c.text || finish.Cause.Step != "build" || finish.Cause.Next == ""):
				t.Errorf("%s, %+v", finish.Outcome, finish.Cause)
			}
		})
	}
}
