package catalog

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/quality"
)

func checkStack(name string, s delivery.Stack, bad report) {
	if name != "" && !stackName(name) {
		bad("metadata.name", fmt.Sprintf("%q cannot be the name of a stack: use 1–63 of a–z, 0–9, '-' and '.', starting with a letter", clip(name)))
	}
	if s.Language == "" {
		bad("spec.language", "language is missing: write e.g. go or java")
	}
	checkBuild(s.Build, bad)
	checkRuntime("spec.runtime", s.Runtime, bad)
	checkVariants(s, bad)
}

func checkBuild(b delivery.Build, bad report) {
	if b.Image != "" && !imageRef(b.Image) {
		bad("spec.build.image", fmt.Sprintf("%q is not an image reference", clip(b.Image)))
	}
	checkPod("spec.build.pod", b.Pod, bad)
	bad.oneOf("spec.build.checkout", b.Checkout, delivery.CheckoutNone)
	checkCaches("spec.build.caches", b.Caches, bad)
	if b.Output != "" {
		bad.relative("spec.build.output", b.Output)
	}
	if len(b.Steps) == 0 {
		bad("spec.build.steps", "steps is empty: a stack builds with at least one step")
	}
	seen := map[string]bool{}
	for _, name := range ownSteps {
		seen[name] = true
	}
	for i, step := range b.Steps {
		checkStep(fmt.Sprintf("spec.build.steps[%d]", i), step, seen, bad)
	}
}

// ownSteps are the names of the standard's own steps.
var ownSteps = [...]string{string(delivery.StepCheckout), string(delivery.StepImage), string(delivery.StepPublish), string(delivery.StepManifests)}

// testFormats are the formats of test results on a step's output.
var testFormats = [...]string{"go-test-json", "tap"}

func checkStep(path string, step delivery.StackStep, seen map[string]bool, bad report) {
	bad.err(path+".name", delivery.CheckLabel("a step", step.Name))
	if seen[step.Name] {
		bad(path+".name", fmt.Sprintf("another step has the name %q already: choose another", step.Name))
	}
	seen[step.Name] = true
	if strings.TrimSpace(step.Run) == "" {
		bad(path+".run", "run is empty: write the commands of the step")
	}
	if strings.ContainsRune(step.Run, 0) {
		bad(path+".run", "a script cannot hold a NUL character")
	}
	bad.oneOf(path+".tests", step.Tests, testFormats[:]...)
	bad.variables(path+".env", step.Env)
	for i, n := range step.Needs {
		if !seen[n] || n == step.Name || n != string(delivery.StepCheckout) && slices.Contains(ownSteps[:], n) {
			bad(fmt.Sprintf("%s.needs[%d]", path, i), fmt.Sprintf("there is no step %q before this one", clip(n)))
		}
	}
	checkReports(path+".reports", step.Reports, bad)
}

// maxReports bounds the patterns of one step.
const maxReports = 20

func checkReports(field string, reports []delivery.ReportFiles, bad report) {
	if len(reports) > maxReports {
		bad(field, fmt.Sprintf("a step reads at most %d reports: write patterns that take in several files", maxReports))
	}
	for i, r := range reports {
		at := fmt.Sprintf("%s[%d]", field, i)
		if r.Format == "" {
			bad(at, "format is missing: write one of "+strings.Join(quality.Formats(), ", "))
		}
		bad.oneOf(at+".format", r.Format, quality.Formats()...)
		if r.Path == "" {
			bad(at, "path is missing: write a pattern of files such as target/surefire-reports/*.xml")
			continue
		}
		bad.relative(at+".path", r.Path)
		if _, err := path.Match(r.Path, ""); err != nil || path.Base(r.Path) == "**" {
			bad(at+".path", fmt.Sprintf("%q is not a pattern of files: write it like **/surefire-reports/*.xml", clip(r.Path)))
		}
	}
}

func checkRuntime(at string, r delivery.Runtime, bad report) {
	bad.artifact(at+".artifact", r.Artifact)
	if r.Base != "" && !imageRef(r.Base) {
		bad(at+".base", fmt.Sprintf("%q is not the reference of a base image: write e.g. {registry}/shiplock/base:1", clip(r.Base)))
	}
	if r.ClusterBase != "" && !imageRef(r.ClusterBase) {
		bad(at+".clusterBase", fmt.Sprintf("%q is not the reference of a base image: write e.g. docker.io/library/eclipse-temurin:17-jre", clip(r.ClusterBase)))
	}
	if r.With != "" && !imageRef(r.With) {
		bad(at+".with", fmt.Sprintf("%q is not the reference of an image: write e.g. {registry}/shiplock/serve:1", clip(r.With)))
	}
	if h := r.Home; h != "" && (!path.IsAbs(h) || h == "/" || h != path.Clean(h) || strings.ContainsAny(h, " \t\r\n\\\x00")) {
		bad(at+".home", fmt.Sprintf("%q is not a folder of the image: write it like %s", clip(h), delivery.DefaultHome))
	}
	if strings.ContainsRune(r.Start, 0) {
		bad(at+".start", "a script cannot hold a NUL character")
	}
	if r.Logs != "" {
		bad.relative(at+".logs", r.Logs)
		if _, err := path.Match(r.Logs, ""); err != nil {
			bad(at+".logs", fmt.Sprintf("%q is not a pattern of files: write it like logs/*.log", clip(r.Logs)))
		}
	}
	bad.within(at+".port", r.Port, 0, 65535)
}
