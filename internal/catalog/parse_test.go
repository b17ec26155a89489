package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/shiplock/shiplock/internal/delivery"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestBadInputs(t *testing.T) {
	const golden = "testdata/bad.txtar"
	archive, err := txtar.ParseFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		input, want := archive.Files[i], &archive.Files[i+1]
		t.Run(input.Name, func(t *testing.T) {
			_, err := Parse(input.Name, input.Data)
			if err == nil {
				t.Fatal("the input is accepted")
			}
			var problems Problems
			if delivery.KindOf(err) != delivery.Invalid || !errors.As(err, &problems) {
				t.Errorf("error is %#v, want Problems of kind Invalid", err)
			}
			for _, p := range problems {
				if p.File != input.Name || p.Line < 1 || p.Column < 1 {
					t.Errorf("problem %q has no place", p)
				}
			}
			got := err.Error() + "\n"
			if *update {
				want.Data = []byte(got)
			} else if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
	if *update {
		if err := os.WriteFile(golden, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const good = `# Two documents.
apiVersion: shiplock/v1
kind: App
metadata: {name: shop}
spec:
  repo: git@git.example.com:mall/shop.git
  path: services/shop
  watch: [libs, go.mod]
  stack: go-1.26
  health: {path: /healthz, timeout: 45s}
  labels: {tier: front}
  environments:
    dev: {}
    prod:
      replicas: 2
      listen: 8080
      variables:
        GREETING: "good morning"
        LONG: |
          two
          lines
      strategy:
        deadline: 2m
        batches:
          - percent: 10
            hold: 5m
          - {percent: 50, hold: manual}
---
apiVersion: shiplock/v1
kind: Environment
metadata:
  name: qa
spec: {branch: qa, automatic: true, bake: 90s}
`

func TestParse(t *testing.T) {
	parsed, err := Parse("shop.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed) != 2 || parsed[0].Line() != 2 || parsed[1].Line() != 29 {
		t.Fatalf("got %d documents, want two, at lines 2 and 29", len(parsed))
	}
	var app delivery.App
	if err := decode(parsed[0].Document, &app); err != nil {
		t.Fatal(err)
	}
	want := delivery.App{
		Repo: "git@git.example.com:mall/shop.git", Path: "services/shop", Watch: []string{"libs", "go.mod"},
		Stack: "go-1.26", Health: delivery.Health{Path: "/healthz", Timeout: 45e9}, Labels: map[string]string{"tier": "front"},
		Environments: map[string]delivery.AppEnvironment{
			"dev": {},
			"prod": {
				Replicas: 2, Listen: 8080, Variables: map[string]string{"GREETING": "good morning", "LONG": "two\nlines\n"},
				Strategy: &delivery.Strategy{Deadline: 120e9, Batches: []delivery.Batch{
					{Percent: 10, Hold: delivery.Hold{For: 300e9}}, {Percent: 50, Hold: delivery.Hold{Manual: true}},
				}},
			},
		},
	}
	if diff := cmp.Diff(want, app); diff != "" {
		t.Errorf("app (-want +got):\n%s", diff)
	}
	app.Name = "shop"
	if got := AppDocument(app); !bytes.Equal(got.Spec, parsed[0].Document.Spec) {
		t.Errorf("an equal app has another canonical form:\n%s\n%s", got.Spec, parsed[0].Document.Spec)
	}
}

// JSON is YAML: a document's own canonical form can be applied again.
func TestParseJSON(t *testing.T) {
	for _, d := range Builtin() {
		data := wholeDocument(t, d)
		parsed, err := Parse("doc.json", data)
		if err != nil {
			t.Fatalf("%s: %v", ref(d), err)
		}
		if got := parsed[0].Document; !bytes.Equal(got.Spec, d.Spec) || got.Name != d.Name {
			t.Errorf("%s came back as %s", d.Spec, got.Spec)
		}
	}
}

func wholeDocument(t *testing.T, d delivery.Document) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"apiVersion": APIVersion, "kind": d.Kind, "metadata": map[string]string{"name": d.Name}, "spec": d.Spec,
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestParseBounds(t *testing.T) {
	manyKeys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "k%d: v\n", i)
		}
		return b.String()
	}
	for name, c := range map[string]struct{ input, want string }{
		"bytes":     {strings.Repeat("#", maxFile+1), "split it"},
		"documents": {strings.Repeat("a: b\n---\n", maxDocuments+1), "split it"},
		"tokens":    {manyKeys(maxTokens), "too long"},
		"encoding":  {"a: \xff\n", "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("big.yaml", []byte(c.input))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %.200v, want %q", err, c.want)
			}
		})
	}
}

func TestParseNothing(t *testing.T) {
	for _, input := range []string{"", "\n", "---\n", "# only words\n", "---\n...\n---\n"} {
		if docs, err := Parse("f.yaml", []byte(input)); err != nil || len(docs) != 0 {
			t.Errorf("Parse(%q) = %v, %v", input, docs, err)
		}
	}
}

func TestParseFilesFindsTwins(t *testing.T) {
	_, err := ParseFiles([]File{{"a.yaml", []byte(good)}, {"b.yaml", []byte("\n" + good)}})
	want := "b.yaml:5:18: App/shop is already written at a.yaml:2: remove one\n" +
		"b.yaml:33:9: Environment/qa is already written at a.yaml:29: remove one"
	if err == nil || err.Error() != want {
		t.Errorf("error is:\n%v\nwant:\n%s", err, want)
	}
}

// What is accepted is accepted again from its canonical form, as the same bytes.
func FuzzParse(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/bad.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for i := 0; i < len(archive.Files); i += 2 {
		f.Add(archive.Files[i].Data)
	}
	f.Add([]byte(good))
	f.Add([]byte(pods))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := Parse("f.yaml", data)
		if err != nil {
			if delivery.KindOf(err) != delivery.Invalid {
				t.Fatalf("error %v is not Invalid", err)
			}
			return
		}
		for _, p := range parsed {
			again, problems := recheck(p.Document)
			if len(problems) > 0 {
				t.Fatalf("%s is refused in its canonical form: %v", p.Document.Spec, problems)
			}
			if !bytes.Equal(again.Spec, p.Document.Spec) {
				t.Fatalf("canonical form changed:\n%s\n%s", p.Document.Spec, again.Spec)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var file bytes.Buffer
	for i := range 500 {
		file.WriteString(strings.Replace(good[:strings.Index(good, "---")], "name: shop", fmt.Sprintf("name: shop-%d", i), 1) + "---\n")
	}
	b.SetBytes(int64(file.Len()))
	for b.Loop() {
		if _, err := Parse("apps.yaml", file.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
