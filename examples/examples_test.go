package examples_test

import (
	"strings"
	"testing"

	"github.com/shiplock/shiplock/examples"
	"github.com/shiplock/shiplock/internal/catalog"
)

func TestRepositories(t *testing.T) {
	for name, wanted := range map[string]string{
		"go-hello":    "go.mod main.go handler.go handler_test.go VERSION .gitignore",
		"java-hello":  "pom.xml src/main/java/com/example/hello/Main.java src/test/java/com/example/hello/HelloTest.java VERSION .gitignore",
		"node-hello":  "package.json server.js app.js app.test.js VERSION .gitignore",
		"node-static": "package.json build.js page.js page.test.js src/style.css VERSION .gitignore",
		"php-hello":   "composer.json phpunit.xml public/index.php src/App.php tests/AppTest.php VERSION .gitignore",
	} {
		files, err := examples.Repository(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range strings.Fields(wanted) {
			if len(files[file]) == 0 {
				t.Errorf("%s has no %s", name, file)
			}
		}
	}
	if _, err := examples.Repository("other"); err == nil {
		t.Error("an example that does not exist was found")
	}
}

func TestDocumentsFitTheCatalog(t *testing.T) {
	for _, name := range examples.Names() {
		data, err := examples.Document(name)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := catalog.Parse(name+".yaml", data)
		if err != nil {
			t.Fatal(err)
		}
		set, err := catalog.NewSet(1, append(catalog.Builtin(), parsed[0].Document))
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Check(); err != nil {
			t.Error(err)
		}
		if _, ok := set.Apps[name]; !ok {
			t.Errorf("%s.yaml holds %s", name, parsed[0].Document.Name)
		}
	}
}
