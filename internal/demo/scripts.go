package demo

import (
	"fmt"
	"os/exec"
	"strings"
)

// script is how an example app is changed in the course of its story.
type script struct {
	app, language string
	tools         []string
	// broken does not build, crashing builds and ends at start.
	broken, crashing edit
}

// edit replaces a text in a file.
type edit struct{ file, old, new string }

// scripts are the stories that can be told, in order.
func scripts() []script {
	return []script{
		{
			app: "go-hello", language: "go", tools: []string{"go"},
			broken: edit{"handler.go", `fmt.Fprintln(w, "ok")`, `fmt.Fprintln(w, healthy)`},
			crashing: edit{"main.go", "func main() {\n", `func main() {
	if os.Getenv("DATABASE_URL") == "" {
		log.Fatal("DATABASE_URL is not set: cannot start")
	}
`},
		},
		{
			app: "node-hello", language: "nodejs", tools: []string{"node", "npm"},
			broken: edit{"app.js", "case '/healthz':", "case '/healthz'"},
			crashing: edit{"server.js", "const server = ", `if (!process.env.DATABASE_URL) {
  throw new Error('DATABASE_URL is not set: cannot start');
}

const server = `},
		},
	}
}

// missing names the first tool that this machine lacks, or "".
func (s script) missing() string {
	for _, t := range s.tools {
		if _, err := exec.LookPath(t); err != nil {
			return t
		}
	}
	return ""
}

func (e edit) apply(files map[string][]byte) (map[string][]byte, error) {
	text := string(files[e.file])
	if !strings.Contains(text, e.old) {
		return nil, fmt.Errorf("the example's %s has changed: it has no %q", e.file, e.old)
	}
	return map[string][]byte{e.file: []byte(strings.Replace(text, e.old, e.new, 1))}, nil
}
