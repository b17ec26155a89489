package delivery

import "slices"

// Plan is what a Run will do and why, pinned to the Run when it is made, and
// once more when the commit's own files have refined it. It is a pure function of
// App, Stack, Environment and those files.
type Plan struct {
	// Digest is the content hash of everything below.
	Digest Digest `json:"digest"`
	Stack  string `json:"stack"`
	// StackWhy says what chose the Stack; empty when the App names it.
	StackWhy string `json:"stackWhy,omitempty"`
	// Open says that the commit's files are to choose the Stack: Stack is a language
	// then, or empty, and the Plan is refined in any case.
	Open bool `json:"open,omitempty"`
	// Variant is the Stack's variant that was chosen, and VariantWhy by what.
	Variant    string `json:"variant,omitempty"`
	VariantWhy string `json:"variantWhy,omitempty"`
	// BuildImage is the image of the build pod.
	BuildImage string `json:"buildImage,omitempty"`
	// Pod is the build pod's template, beside its image.
	Pod *BuildPod `json:"pod,omitempty"`
	// PodWhy says which document asked for BuildImage and each part of Pod, in order.
	PodWhy []PodReason `json:"podWhy,omitempty"`
	Tools  []Tool      `json:"tools,omitempty"`
	Repo   string      `json:"repo"`
	Path   string      `json:"path,omitempty"`
	// Protected tells whether the build is of a protected Environment, which decides
	// whose caches it reads and publishes.
	Protected bool       `json:"protected,omitempty"`
	Caches    []Cache    `json:"caches,omitempty"`
	Steps     []PlanStep `json:"steps"`
	// Reads are files that may change the Plan once the commit is checked out, each
	// the nearest one from the App's folder up to the repository's root. A Plan that
	// was refined by them reads none.
	Reads []string `json:"reads,omitempty"`
	// Manifests are folders with manifests of the App's own.
	Manifests []ManifestFolder `json:"manifests,omitempty"`
	// Image is the image to make; nil for a Plan that makes none.
	Image *ImagePlan `json:"image,omitempty"`
	// Timeout limits the whole job: what its steps may take together, and at most Cap
	// when there is one. CapWhy is the document that says so.
	Timeout Duration `json:"timeout"`
	Cap     Duration `json:"cap,omitempty"`
	CapWhy  string   `json:"capWhy,omitempty" text:"ours"`
}

// PodReason is why a part of a build pod is as it is.
type PodReason struct {
	// Part is "image", or the field within Pod: "resources.limits.memory",
	// "tolerations[0]".
	Part string `json:"part"`
	Why  string `json:"why" text:"ours"`
}

// NeedsOf are the steps of the plan that the i-th one waits for: those that it names,
// or else the one before it.
func (p Plan) NeedsOf(i int) []string {
	var needs []string
	for _, n := range p.Steps[i].Needs {
		if slices.ContainsFunc(p.Steps, func(s PlanStep) bool { return s.Name == n }) {
			needs = append(needs, n)
		}
	}
	if len(p.Steps[i].Needs) == 0 && i > 0 {
		needs = []string{p.Steps[i-1].Name}
	}
	return needs
}

// fresh are the steps of an attempt that has not begun.
func (p Plan) fresh() []Step {
	steps := make([]Step, len(p.Steps))
	for i, s := range p.Steps {
		steps[i] = Step{Name: s.Name, State: StepPending}
		if s.Skip != "" {
			steps[i].State = StepSkipped
		}
	}
	return steps
}

// StepKind says who carries a step out.
type StepKind string

const (
	StepCheckout StepKind = "checkout"
	StepRun      StepKind = "run"
	StepImage    StepKind = "image"
	StepPublish  StepKind = "publish"
	// StepManifests reads the App's own manifests.
	StepManifests StepKind = "manifests"
)

// PlanStep is one step and the reason for it.
type PlanStep struct {
	Name    string            `json:"name"`
	Kind    StepKind          `json:"kind"`
	Run     string            `json:"run,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
	Timeout Duration          `json:"timeout"`
	// Tests is the format of test results on the step's output.
	Tests string `json:"tests,omitempty"`
	// Reports are the files of results that the step leaves.
	Reports []ReportFiles `json:"reports,omitempty"`
	// Needs are the steps that it waits for; see NeedsOf.
	Needs []string `json:"needs,omitempty"`
	// Skip says why the step does not run; empty when it does.
	Skip string `json:"skip,omitempty" text:"ours"`
	// Outputs are files or folders, relative to the App's folder, that exist when
	// the step has ended. Inputs are those of other steps that it uses.
	Outputs []string `json:"outputs,omitempty"`
	Inputs  []string `json:"inputs,omitempty"`
	// Why says which document asked for the step.
	Why string `json:"why" text:"ours"`
}

// EnvironmentVariable stands for an Environment's name in the path of a ManifestFolder.
const EnvironmentVariable = "${env}"

// ManifestFolder is a folder with an App's own manifests.
type ManifestFolder struct {
	// Env is the Environment that they are for. AnyEnvironment stands for all that have no
	// folder of their own: one of them all, or, where the path has ${env}, one of each.
	Env string `json:"env,omitempty"`
	// Path is relative to the App's folder.
	Path string `json:"path"`
	// Needed is the Environment that the run cannot do without; empty is none.
	Needed string `json:"needed,omitempty"`
}

// ImagePlan says what artifact a Run makes: an image, or a package.
type ImagePlan struct {
	// Artifact is what is made; empty is an image.
	Artifact ArtifactKind `json:"artifact,omitempty"`
	// Base is empty for a package.
	Base string `json:"base,omitempty"`
	// With is an image whose files come between the base's and the App's.
	With string `json:"with,omitempty"`
	// Repository is where it is pushed, without a registry host.
	Repository string `json:"repository"`
	// Source is the folder that is added, relative to the App's folder.
	Source string `json:"source"`
	Home   string `json:"home"`
	// Start is the content of start.sh for an App that brings none.
	Start string            `json:"start,omitempty"`
	Port  int               `json:"port,omitempty"`
	Logs  string            `json:"logs,omitempty"`
	Env   map[string]string `json:"env,omitempty"`
	// Dockerfile is the generated text that the assembly equals.
	Dockerfile string `json:"dockerfile,omitempty"`
	Why        string `json:"why" text:"ours"`
}
