package standard

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

// plain is a stack whose plans are short to read.
func plain() Input {
	return Input{
		App: delivery.App{Name: "shop", Repo: "mall/shop", Path: "services/shop", Stack: "plain"},
		Stack: delivery.Stack{
			Name: "plain",
			Build: delivery.Build{Steps: []delivery.StackStep{
				{Name: "build", Run: "make\n", Env: map[string]string{"A": "stack", "B": "stack"}},
				{Name: "test", Run: "make check\n"},
			}},
			Runtime: delivery.Runtime{Base: "base:1", Port: 8080, Start: "exec ./app\n"},
		},
		Environment: delivery.Environment{Name: "dev", Branch: "dev"},
	}
}

func refinement(t interface{ Fatal(...any) }, text string) Refinement {
	in := plain()
	return Refinement{
		Plan: mustPlan(t, in), App: in.App.Name,
		Facts: Facts{Branch: "dev", Environment: "dev", Labels: map[string]string{"tier": "front"}, Changed: &delivery.Changes{Paths: []string{"web/src/a.ts"}}},
		Files: []delivery.SourceFile{{Path: "services/shop/shiplock.yaml", Text: text}},
	}
}

// The files of the archive come in pairs: what a repository says, and the plan or
// the faults that this makes.
func TestRefineGolden(t *testing.T) {
	const golden = "testdata/refine.txtar"
	archive, err := txtar.ParseFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		input, want := archive.Files[i], &archive.Files[i+1]
		t.Run(input.Name, func(t *testing.T) {
			got := refined(t, refinement(t, string(input.Data)))
			if *update {
				want.Data = []byte(got)
			} else if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if *update {
		if err := os.WriteFile(golden, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// refined is the plan as people see it, but for its head, or every fault.
func refined(t *testing.T, in Refinement) string {
	t.Helper()
	p, err := Refine(in)
	if err != nil {
		var faults catalog.Problems
		if !errors.As(err, &faults) || delivery.KindOf(err) != delivery.Invalid {
			t.Fatalf("error is %v, want Problems", err)
		}
		return err.Error() + "\n"
	}
	checkPlan(t, p)
	lines := Explain(p)
	return strings.Join(lines[slices.Index(lines, "")+1:], "\n") + "\n"
}

// checkPlan holds a plan to what a runner relies on.
func checkPlan(t interface{ Errorf(string, ...any) }, p delivery.Plan) {
	done := map[string]bool{}
	var sum delivery.Duration
	for _, s := range p.Steps {
		for _, n := range s.Needs {
			if !done[n] {
				t.Errorf("step %s stands before %s, which it needs", s.Name, n)
			}
		}
		if done[s.Name] || s.Why == "" || s.Timeout <= 0 {
			t.Errorf("step %s is there twice, has no reason, or no limit", s.Name)
		}
		done[s.Name] = true
		if s.Skip == "" {
			sum += s.Timeout
		}
	}
	if last := p.Steps[len(p.Steps)-1]; last.Kind == delivery.StepImage {
		if before := waitsFor(p.Steps, last.Name); len(before) != len(p.Steps)-1 {
			t.Errorf("the image waits for %v of %d steps", before, len(p.Steps))
		}
	}
	if p.Timeout != sum || len(p.Reads) > 0 {
		t.Errorf("the limit is %s, not %s; reads %v", p.Timeout, sum, p.Reads)
	}
}

// Refining is a function, leaves the pinned plan as it was, and gives a plan that can
// be stored and has a digest of its own.
func TestRefineIsPure(t *testing.T) {
	names := []string{"build", "test", "lint", "docs", "e2e", "checkout"}
	rapid.Check(t, func(r *rapid.T) {
		var e delivery.Exceptions
		for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(names[:5]), rapid.ID[string]).Draw(r, "steps") {
			c := delivery.StepChange{Name: name, Run: rapid.SampledFrom([]string{"", "make x"}).Draw(r, "run")}
			switch rapid.IntRange(0, 5).Draw(r, "place") {
			case 0:
				c.After = rapid.SampledFrom(names).Draw(r, "after")
			case 1:
				c.Before = rapid.SampledFrom(names).Draw(r, "before")
			case 2:
				c.Needs = rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]).Draw(r, "needs")
			case 3:
				c.When = &delivery.Condition{Branch: []string{rapid.SampledFrom([]string{"dev", "release"}).Draw(r, "branch")}}
			}
			e.Steps = append(e.Steps, c)
		}
		raw, err := json.Marshal(e) // JSON is YAML
		if err != nil {
			r.Fatal(err)
		}
		in := refinement(r, string(raw))
		before, _ := json.Marshal(in)
		p, err := Refine(in)
		after, _ := json.Marshal(in)
		if string(before) != string(after) {
			r.Fatal("refining changed what it was given")
		}
		again, errAgain := Refine(in)
		if cmp.Diff(p, again) != "" || (err == nil) != (errAgain == nil) {
			r.Fatal("refining is no function")
		}
		if err != nil {
			return
		}
		checkPlan(r, p)
		if p.Digest == in.Plan.Digest || p.Digest != digest("shop", "dev", p) {
			r.Fatalf("digest is %s", p.Digest)
		}
	})
}

func TestRefineWithoutAFile(t *testing.T) {
	in := refinement(t, "")
	in.Files = nil
	p, err := Refine(in)
	if err != nil {
		t.Fatal(err)
	}
	want := in.Plan
	want.Reads, want.Digest = nil, p.Digest
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("the plan changes:\n%s", diff)
	}
}

func TestRefineRefusesWhatIsNoFile(t *testing.T) {
	for problem, want := range map[string]string{
		delivery.SourceSymlink: "symbolic link", delivery.SourceLarge: "larger than 256 KiB", delivery.SourceIrregular: "not a file",
	} {
		in := refinement(t, "")
		in.Files[0].Problem = problem
		if _, err := Refine(in); delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "services/shop/shiplock.yaml: ") {
			t.Errorf("%s: %v", problem, err)
		}
	}
}

func FuzzRefine(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/refine.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for i := 0; i < len(archive.Files); i += 2 {
		f.Add(string(archive.Files[i].Data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Refine(refinement(t, text))
		if err == nil {
			checkPlan(t, p)
		} else if delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("error is %v", err)
		}
	})
}
