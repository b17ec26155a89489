package delivery

import "slices"

// Exceptions are what a repository asks to be different from its standard: the
// content of its shiplock.yaml.
type Exceptions struct {
	// Env is given to every step that runs commands.
	Env   map[string]string `json:"env,omitempty"`
	Steps []StepChange      `json:"steps,omitempty"`
	// Output, Port, Start and Logs take the place of the Stack's.
	Output string `json:"output,omitempty"`
	Port   int    `json:"port,omitempty"`
	Start  string `json:"start,omitempty"`
	Logs   string `json:"logs,omitempty"`
}

// StepChange changes the step of its name, or adds one. What is left out stays as it
// is.
type StepChange struct {
	Name string `json:"name"`
	// Run is a POSIX shell script, run with -e in the App's folder.
	Run string `json:"run,omitempty"`
	// Skip leaves the step out.
	Skip bool `json:"skip,omitempty"`
	// Before and After are where an added step stands; at most one of them and Needs
	// is given. Without any, it comes last.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// Needs are the only steps that it waits for; "checkout" alone starts at once.
	Needs []string `json:"needs,omitempty"`
	// When says on what the step depends; without it, on nothing.
	When    *Condition        `json:"when,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
	Timeout Duration          `json:"timeout,omitempty"`
	Tests   string            `json:"tests,omitempty"`
	Reports []ReportFiles     `json:"reports,omitempty"`
	// Outputs are files or folders that exist when the step has ended. Inputs are
	// outputs of steps that it needs.
	Outputs []string `json:"outputs,omitempty"`
	Inputs  []string `json:"inputs,omitempty"`
}

// Condition holds when all of its parts do. Of a list, one entry suffices.
type Condition struct {
	// Branch are patterns, in which "*" stands for any characters.
	Branch []string `json:"branch,omitempty"`
	// Environment are names of Environments.
	Environment []string `json:"environment,omitempty"`
	// Labels are labels of the App with their values.
	Labels map[string]string `json:"labels,omitempty"`
	// Paths are patterns of changed files, from the repository's root. They hold
	// when it is not known what changed.
	Paths []string `json:"paths,omitempty"`
}

// SourceFile is a file of the commit as a runner read it.
type SourceFile struct {
	// Path is from the repository's root.
	Path string `json:"path"`
	Text string `json:"text,omitempty"`
	// Problem says why there is no Text: "symlink", "large" or "irregular".
	Problem string `json:"problem,omitempty"`
}

// Problems of a SourceFile.
const (
	SourceSymlink   = "symlink"
	SourceLarge     = "large"
	SourceIrregular = "irregular"
)

// MaxSourceFile bounds one SourceFile, in bytes.
const MaxSourceFile = 256 << 10

// Changes are the files that a push changed; a nil one is not known.
type Changes struct {
	Paths []string `json:"paths,omitempty"`
}

// Bounds of what a Run remembers of its push.
const (
	maxChangedPaths = 500
	maxChangedBytes = 32 << 10
)

// ChangesOf returns what is known of a push's changes, or nil when that is not all
// or too much.
func ChangesOf(p Push) *Changes {
	size := 0
	for _, path := range p.Paths {
		size += len(path)
	}
	if !p.PathsComplete || len(p.Paths) > maxChangedPaths || size > maxChangedBytes {
		return nil
	}
	return &Changes{Paths: slices.Clone(p.Paths)}
}
