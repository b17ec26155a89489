package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/examples"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/runner"
)

// script is how an example app is changed in the course of its story.
type script struct {
	app, language string
	// tools are needed beside those of the app's stack.
	tools []string
	// broken does not build, crashing builds and ends at start.
	broken, crashing edit
}

// edit replaces a text in a file, or makes a new one when there is none to replace.
type edit struct{ file, old, new string }

// scripts are the stories that can be told, in order. The files are those of the
// example of the same name.
func scripts() []script {
	return []script{
		{
			app: "java-hello", language: "java", tools: []string{"mvn"},
			broken: edit{"src/main/java/com/example/hello/Hello.java", `return "ok\n";`, `return healthy;`},
			crashing: edit{"src/main/java/com/example/hello/Main.java", "throws IOException {\n    int port", `throws IOException {
    if (System.getenv("DATABASE_URL") == null) {
      throw new IllegalStateException("DATABASE_URL is not set: cannot start");
    }
    int port`},
		},
		{
			app: "go-hello", language: "go",
			broken: edit{"handler.go", `fmt.Fprintln(w, "ok")`, `fmt.Fprintln(w, healthy)`},
			crashing: edit{"main.go", "func main() {\n", `func main() {
	if os.Getenv("DATABASE_URL") == "" {
		log.Fatal("DATABASE_URL is not set: cannot start")
	}
`},
		},
		{
			app: "node-hello", language: "nodejs",
			broken: edit{"app.js", "case '/healthz':", "case '/healthz'"},
			crashing: edit{"server.js", "const server = ", `if (!process.env.DATABASE_URL) {
  throw new Error('DATABASE_URL is not set: cannot start');
}

const server = `},
		},
		{
			app: "node-static", language: "static",
			broken:   edit{"page.js", "module.exports = { page };", "module.exports = { page: pages };"},
			crashing: edit{"start.sh", "", "#!/bin/sh\n: \"${API_URL:?is not set: cannot start}\"\nexec ./.shiplock/web --root www\n"},
		},
		{
			app: "php-hello", language: "php", tools: []string{"composer", "phpunit", "php-fpm8.2"},
			broken: edit{"src/App.php", `return [200, "ok\n"];`, `return [200, "ok\n"]`},
			crashing: edit{"public/index.php", "$version = ", `if (!getenv('DATABASE_URL')) {
    throw new RuntimeException('DATABASE_URL is not set: cannot start');
}

$version = `},
		},
	}
}

// lacking says what this machine lacks to tell the story; "" is nothing.
func (s script) lacking(ctx context.Context) (string, error) {
	app, err := example(s.app)
	if err != nil {
		return "", err
	}
	set, err := catalog.NewSet(0, nil)
	if err != nil {
		return "", err
	}
	tools := slices.Clone(set.Stacks[app.Stack].Build.Tools)
	for _, name := range s.tools {
		tools = append(tools, delivery.Tool{Name: name})
	}
	if c := runner.Lacking(ctx, app.Stack, tools, os.Environ(), func(string) {}); c != nil {
		return c.Text, nil
	}
	return "", nil
}

// example reads an example's document.
func example(name string) (delivery.App, error) {
	app := delivery.App{Name: name}
	text, err := examples.Document(name)
	if err != nil {
		return app, err
	}
	parsed, err := catalog.Parse(name+".yaml", text)
	if err != nil {
		return app, err
	}
	return app, json.Unmarshal(parsed[0].Document.Spec, &app)
}

func (e edit) apply(files map[string][]byte) (map[string][]byte, error) {
	text := string(files[e.file])
	if e.old == "" && text != "" || !strings.Contains(text, e.old) {
		return nil, fmt.Errorf("the example's %s has changed: it has no %q", e.file, e.old)
	}
	return map[string][]byte{e.file: []byte(strings.Replace(text, e.old, e.new, 1))}, nil
}
