package standard

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

// Refinement is what a Plan is refined with.
type Refinement struct {
	// Plan is the one that was pinned when the run was made.
	Plan  delivery.Plan
	App   string
	Facts Facts
	// Files are those of Plan.Reads that the commit has.
	Files []delivery.SourceFile
	// Input, without its Stack, and Stacks are what a Plan is made of whose Stack the
	// files choose.
	Input  Input
	Stacks map[string]delivery.Stack
}

// Refine makes the exceptions that the commit's own files ask for. The error is of
// kind Invalid, and holds catalog.Problems where a file is at fault.
func Refine(in Refinement) (delivery.Plan, error) {
	p, err := in.chosen()
	if err != nil {
		return delivery.Plan{}, err
	}
	p.Reads = nil
	p.Steps = slices.Clone(p.Steps)
	if p.Image != nil {
		image := *p.Image
		p.Image = &image
	}
	if f, ok := fileNamed(in.Files, catalog.RepositoryFile); ok {
		if err := except(&p, f, in.Facts); err != nil {
			return delivery.Plan{}, err
		}
	}
	finish(&p)
	p.Digest = digest(in.App, in.Facts.Environment, p)
	return p, nil
}

// chosen is the plan with its Stack: the one that the files choose, or the App's when
// they do not contradict it.
func (in Refinement) chosen() (delivery.Plan, error) {
	stack, known := in.Stacks[in.Plan.Stack]
	switch {
	case !in.Plan.Open && !known:
		return in.Plan, nil
	case !in.Plan.Open:
		wish, err := Detect(in.Files, stack.Language)
		if err != nil {
			return in.Plan, err
		}
		if msg := wish.Contradiction(stack); msg != "" {
			return in.Plan, delivery.E(delivery.Invalid, msg)
		}
		return in.Plan, nil
	}
	wish, err := Detect(in.Files, in.Plan.Stack)
	if err != nil {
		return in.Plan, err
	}
	stack, why, err := StackFor(wish, in.Stacks)
	if err != nil {
		return in.Plan, err
	}
	in.Input.App.Stack, in.Input.Stack = stack.Name, stack
	p, err := Plan(in.Input)
	p.StackWhy = why
	return p, err
}

func fileNamed(files []delivery.SourceFile, name string) (delivery.SourceFile, bool) {
	i := slices.IndexFunc(files, func(f delivery.SourceFile) bool { return path.Base(f.Path) == name })
	if i < 0 {
		return delivery.SourceFile{}, false
	}
	return files[i], true
}

// unreadable refuses a file that a runner could not send.
func unreadable(f delivery.SourceFile) error {
	msg := map[string]string{
		delivery.SourceSymlink:   "it is a symbolic link, and those are not followed: make it a file",
		delivery.SourceLarge:     fmt.Sprintf("it is larger than %d KiB", delivery.MaxSourceFile>>10),
		delivery.SourceIrregular: "it is not a file",
	}[f.Problem]
	if msg == "" {
		return nil
	}
	return catalog.Problems{{File: f.Path, Msg: msg}}.Err()
}

// except applies a repository's shiplock.yaml.
func except(p *delivery.Plan, f delivery.SourceFile, facts Facts) error {
	if err := unreadable(f); err != nil {
		return err
	}
	repo, err := catalog.ParseRepository(f.Path, []byte(f.Text))
	if err != nil {
		return err
	}
	var problems catalog.Problems
	bad := func(field, msg string) { problems = append(problems, repo.Problem(field, msg)) }
	own, last := split(p.Steps)
	for i, s := range own {
		if s.Kind == delivery.StepRun && len(repo.Env) > 0 {
			own[i].Env = over(s.Env, repo.Env)
			own[i].Why += "; env: " + repo.Site("env")
		}
	}
	c := changer{steps: own, env: repo.Env, facts: facts, site: repo.Site, bad: bad}
	c.apply(repo.Steps)
	p.Steps = append(c.steps, last...)
	exceptImage(p, repo, bad)
	return problems.Err()
}

// split parts the steps that may be changed from those after them.
func split(steps []delivery.PlanStep) (own, last []delivery.PlanStep) {
	i := slices.IndexFunc(steps, func(s delivery.PlanStep) bool {
		return s.Kind == delivery.StepImage || s.Kind == delivery.StepPublish || s.Kind == delivery.StepManifests
	})
	if i < 0 {
		return steps, nil
	}
	return steps[:i:i], steps[i:]
}

// exceptImage applies what the file says of the image.
func exceptImage(p *delivery.Plan, repo catalog.Repository, bad func(field, msg string)) {
	var what []string
	set := func(field string, is bool, do func()) {
		switch {
		case is && p.Image == nil:
			bad(field, fmt.Sprintf("stack %s makes no artifact, so %s has no effect: remove it", p.Stack, field))
		case is:
			do()
			what = append(what, fmt.Sprintf("%s: %s", field, repo.Site(field)))
		}
	}
	set("output", repo.Output != "", func() { p.Image.Source = repo.Output })
	set("port", repo.Port != 0, func() { p.Image.Port = repo.Port })
	set("start", repo.Start != "", func() { p.Image.Start = repo.Start })
	set("logs", repo.Logs != "", func() { p.Image.Logs = repo.Logs })
	if len(what) > 0 {
		p.Image.Why += "; " + strings.Join(what, ", ")
	}
}
