package delivery

// Stack is a language at a version: how to build it and how it runs.
type Stack struct {
	Name     string  `json:"name"`
	Language string  `json:"language"`
	Build    Build   `json:"build"`
	Runtime  Runtime `json:"runtime"`
	// Variants are the Stack with a difference; at most one is chosen for a run.
	Variants []Variant `json:"variants,omitempty"`
}

// Languages are those whose version is read from a repository's own files, for an App
// that names only the language, or nothing.
func Languages() []string { return []string{"go", "java", "nodejs", "php"} }

// Build is a Stack's build recipe.
type Build struct {
	// Image is the build pod's image; a local build uses the machine's tools.
	Image string `json:"image,omitempty"`
	// Pod is the build pod's template, beside its image.
	Pod BuildPod `json:"pod,omitzero"`
	// Tools must be on the PATH of the build's steps.
	Tools []Tool `json:"tools,omitempty"`
	// Checkout is CheckoutNone for a build that needs no source; empty checks the
	// commit out.
	Checkout string      `json:"checkout,omitempty"`
	Steps    []StackStep `json:"steps"`
	// Caches are what the tools keep from one build to the next.
	Caches []Cache `json:"caches,omitempty"`
	// Output is the folder, relative to the App's path, that becomes the image's
	// start_env; empty is "start_env".
	Output string `json:"output,omitempty"`
}

// CheckoutNone is the Checkout of a build without source.
const CheckoutNone = "none"

// StackStep is one command of a build recipe.
type StackStep struct {
	Name string `json:"name"`
	// Run is a POSIX shell script, run with -e in the App's folder.
	Run     string   `json:"run"`
	Timeout Duration `json:"timeout,omitempty"`
	// Needs are the only steps that it waits for; without any, it waits for the one
	// before it. "checkout" alone starts at once.
	Needs []string `json:"needs,omitempty"`
	// Tests names the format of test results on the step's output:
	// "go-test-json", "tap" or empty.
	Tests string `json:"tests,omitempty"`
	// Reports are read when the step has ended, even in failure.
	Reports []ReportFiles     `json:"reports,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
}

// ReportFiles says where a step's tools leave results of tests, or coverage.
type ReportFiles struct {
	// Format is "junit", "jacoco", "cobertura", "go-cover", "lcov" or "clover".
	Format string `json:"format"`
	// Path is a pattern of files, relative to the App's folder: as of path.Match, and
	// "**" stands for any folders.
	Path string `json:"path"`
}

// Runtime is a Stack's run-time convention.
type Runtime struct {
	// Artifact is what runs make of an App that does not say; empty is an image.
	Artifact ArtifactKind `json:"artifact,omitempty"`
	// Base is the base image's reference; "{registry}" stands for the embedded one.
	// A Stack without one makes no images, but may make packages.
	Base string `json:"base"`
	// ClusterBase takes the place of Base where an Environment of the catalog is in a
	// Cluster: there the base must bring what one machine has.
	ClusterBase string `json:"clusterBase,omitempty"`
	// With is an image whose files are added to the base, whichever it is.
	With string `json:"with,omitempty"`
	// Home is where start_env lands in the image; empty is /home/services.
	Home string `json:"home,omitempty"`
	// Start is the content of start.sh for an App that brings none. It is called
	// with the environment's name and has PORT in its environment.
	Start string `json:"start,omitempty"`
	// Logs is a glob, relative to Home, of files that belong to the app's log.
	Logs string `json:"logs,omitempty"`
	Port int    `json:"port,omitempty"`
}

// DefaultHome is the run-time folder of every app, by the standard.
const DefaultHome = "/home/services"
