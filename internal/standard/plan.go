package standard

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

// Input is what a Plan is made for.
type Input struct {
	App         delivery.App
	Stack       delivery.Stack
	Environment delivery.Environment
	// Clustered is an Environment of the catalog that is in a Cluster: what is built may
	// be released there too. Without a name there is none.
	Clustered delivery.Environment
	// Commit is pinned beside the Plan, so that the same recipe has the same digest
	// for every commit; its branch may choose a variant.
	Commit delivery.Commit
}

// Limits of steps that name none.
const (
	checkoutTimeout = 5 * time.Minute
	stepTimeout     = 15 * time.Minute
	imageTimeout    = 10 * time.Minute

	defaultOutput = "start_env"
)

// Plan says what a run does, and why. The inputs come from a checked catalog;
// Invalid says that they do not belong together.
func Plan(in Input) (delivery.Plan, error) {
	if in.Stack.Name == "" && in.App.Open() {
		return openPlan(in), nil
	}
	if in.Stack.Name != in.App.Stack {
		return delivery.Plan{}, delivery.E(delivery.Invalid, fmt.Sprintf("app %s asks for stack %q, which is not in the catalog: name one that is", in.App.Name, in.App.Stack))
	}
	if len(in.Stack.Build.Steps) == 0 {
		return delivery.Plan{}, delivery.E(delivery.Invalid, fmt.Sprintf("stack %s has no build steps: add one", in.Stack.Name))
	}
	variant, why := chosen(in.Stack, in.App.Labels, in.Commit.Branch)
	if variant != nil {
		in.Stack = varied(in.Stack, *variant)
	}
	if artifactOf(in) == delivery.ArtifactPackage && in.Environment.Cluster != "" {
		return delivery.Plan{}, delivery.E(delivery.Invalid, fmt.Sprintf("app %s becomes a package, and %s is in the cluster %s, which runs images: write `artifact: image` into the App or its Stack", in.App.Name, in.Environment.Name, in.Environment.Cluster))
	}
	p := delivery.Plan{
		Stack: in.Stack.Name, Tools: in.Stack.Build.Tools,
		Repo: in.App.Repo, Path: buildPath(in),
		Protected: in.Environment.Protected, Caches: in.Stack.Build.Caches,
		Steps: steps(in), Image: imagePlan(in), Manifests: manifestFolders(in),
	}
	addPod(&p, in, variant)
	if variant != nil {
		p.Variant, p.VariantWhy = variant.Name, why
		own, last := split(p.Steps)
		facts := Facts{Branch: in.Commit.Branch, Environment: in.Environment.Name, Labels: in.App.Labels}
		own, err := variedSteps(own, in.Stack, *variant, facts)
		if err != nil {
			return delivery.Plan{}, err
		}
		p.Steps = append(own, last...)
	}
	if in.Stack.Build.Checkout != delivery.CheckoutNone {
		p.Reads = append([]string{catalog.RepositoryFile}, readsOf(in.Stack)...)
	}
	finish(&p)
	p.Digest = digest(in.App.Name, in.Environment.Name, p)
	return p, nil
}

// buildPath is the folder of the sources that is built. A build without sources has none:
// the App's path then only says which changes concern it.
func buildPath(in Input) string {
	if in.Stack.Build.Checkout == delivery.CheckoutNone {
		return ""
	}
	return in.App.Path
}

// openPlan is what is known before the commit's own files have chosen the Stack.
func openPlan(in Input) delivery.Plan {
	p := delivery.Plan{
		Stack: in.App.Stack, Open: true, Repo: in.App.Repo, Path: in.App.Path, Protected: in.Environment.Protected,
		Steps: []delivery.PlanStep{checkoutStep()},
		Reads: append([]string{catalog.RepositoryFile}, filesOf(in.App.Stack)...),
	}
	addPod(&p, in, nil)
	finish(&p)
	p.Digest = digest(in.App.Name, in.Environment.Name, p)
	return p
}

// readsOf are the files that may contradict a Stack.
func readsOf(s delivery.Stack) []string {
	if _, _, ok := versionOf(s); !ok || !slices.Contains(delivery.Languages(), s.Language) {
		return nil
	}
	return filesOf(s.Language)
}

func checkoutStep() delivery.PlanStep {
	return delivery.PlanStep{
		Name: string(delivery.StepCheckout), Kind: delivery.StepCheckout, Timeout: delivery.Duration(checkoutTimeout),
		Why: "standard: every run checks out its exact commit",
	}
}

// finish derives what follows from the rest of a plan: what the image waits for and
// looks like, and the limit of the whole.
func finish(p *delivery.Plan) {
	p.Timeout = 0
	own, last := split(p.Steps)
	for i := range last {
		last[i].Needs = leaves(own)
	}
	for _, s := range p.Steps {
		if s.Skip == "" {
			p.Timeout += s.Timeout
		}
	}
	if p.Cap > 0 {
		p.Timeout = min(p.Timeout, p.Cap)
	}
	if p.Image == nil || p.Image.Artifact == delivery.ArtifactPackage {
		return
	}
	if p.Image.Env = nil; p.Image.Port != 0 {
		p.Image.Env = map[string]string{"PORT": fmt.Sprint(p.Image.Port)}
	}
	p.Image.Dockerfile = Dockerfile(*p.Image)
}

// digest covers the environment's name too: steps see it as SHIPLOCK_ENV.
func digest(app, env string, p delivery.Plan) delivery.Digest {
	p.Digest = ""
	return delivery.HashJSON(struct {
		App, Env string
		Plan     delivery.Plan
	}{app, env, p})
}

func steps(in Input) []delivery.PlanStep {
	var list []delivery.PlanStep
	if in.Stack.Build.Checkout != delivery.CheckoutNone {
		list = append(list, checkoutStep())
	}
	for i, s := range in.Stack.Build.Steps {
		list = append(list, delivery.PlanStep{
			Name: s.Name, Kind: delivery.StepRun, Run: s.Run, Env: s.Env, Tests: s.Tests, Reports: s.Reports, Needs: s.Needs,
			Timeout: delivery.Duration(s.Timeout.Or(stepTimeout)),
			Why:     fmt.Sprintf("Stack %s: build.steps[%d]", in.Stack.Name, i),
		})
	}
	chain(list)
	if len(manifestFolders(in)) > 0 {
		list = append(list, manifestStep(in.App.Name))
	}
	switch {
	case artifactOf(in) == delivery.ArtifactPackage:
		return append(list, delivery.PlanStep{
			Name: string(delivery.StepPublish), Kind: delivery.StepPublish, Timeout: delivery.Duration(imageTimeout),
			Why: "standard: the run ends in a package, which the environments share",
		})
	case in.Stack.Runtime.Base != "":
		return append(list, delivery.PlanStep{
			Name: string(delivery.StepImage), Kind: delivery.StepImage, Timeout: delivery.Duration(imageTimeout),
			Why: "standard: every run ends in an image, which the environments share",
		})
	}
	return list
}

// artifactOf is what the App wants to be, or else its Stack.
func artifactOf(in Input) delivery.ArtifactKind {
	return cmp.Or(in.App.Artifact, in.Stack.Runtime.Artifact, delivery.ArtifactImage)
}

// imagePlan is nil for a Stack without a base image, unless the App is a package.
func imagePlan(in Input) *delivery.ImagePlan {
	r := in.Stack.Runtime
	p := &delivery.ImagePlan{
		Base: r.Base, With: r.With, Repository: in.App.Name,
		Source: cmp.Or(in.Stack.Build.Output, defaultOutput), Home: home(in.Stack),
		Start: r.Start, Port: r.Port, Logs: r.Logs,
		Why: fmt.Sprintf("Stack %s: runtime", in.Stack.Name),
	}
	switch {
	case artifactOf(in) == delivery.ArtifactPackage:
		p.Artifact, p.Base, p.With = delivery.ArtifactPackage, "", ""
		if in.App.Artifact != "" {
			p.Why += fmt.Sprintf("; artifact: App %s", in.App.Name)
		}
	case r.Base == "":
		return nil
	case in.Clustered.Name != "" && r.ClusterBase != "":
		p.Base = r.ClusterBase
		p.Why += fmt.Sprintf("; clusterBase, as Environment %s is in Cluster %s", in.Clustered.Name, in.Clustered.Cluster)
	}
	return p
}

func home(s delivery.Stack) string { return cmp.Or(s.Runtime.Home, delivery.DefaultHome) }
