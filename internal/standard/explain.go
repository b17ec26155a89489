package standard

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Explain shows a plan to people: what runs, and why each line is there.
func Explain(p delivery.Plan) []string {
	lines := []string{
		"plan     " + p.Digest.Short(),
		"stack    " + stackLine(p),
		"source   " + source(p),
	}
	if p.Variant != "" {
		lines = append(lines, "variant  "+p.Variant+", as "+p.VariantWhy)
	}
	lines = append(lines, pod(p)...)
	if len(p.Tools) > 0 {
		lines = append(lines, "tools    "+tools(p.Tools))
	}
	lines = append(lines, caches(p)...)
	if len(p.Reads) > 0 {
		lines = append(lines, "reads    "+strings.Join(p.Reads, ", ")+", where the commit has them: they may change what follows")
	}
	lines = append(lines, limit(p), "")
	for i, s := range p.Steps {
		lines = append(lines, fmt.Sprintf("%d. %s  (at most %s)%s", i+1, s.Name, short(s.Timeout), waits(p.Steps, i)), "   # "+s.Why)
		if s.Skip != "" {
			lines = append(lines, "   skipped: "+s.Skip)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(s.Env)) {
			lines = append(lines, fmt.Sprintf("   %s=%q", name, s.Env[name]))
		}
		lines = append(lines, indented(s.Run)...)
		for _, r := range s.Reports {
			lines = append(lines, "   reports "+r.Format+" in "+r.Path)
		}
		if len(s.Inputs) > 0 {
			lines = append(lines, "   uses "+strings.Join(s.Inputs, ", "))
		}
		if len(s.Outputs) > 0 {
			lines = append(lines, "   makes "+strings.Join(s.Outputs, ", "))
		}
		if s.Kind == delivery.StepImage && p.Image != nil {
			lines = append(lines, "   # "+p.Image.Why)
			lines = append(lines, indented(p.Image.Dockerfile)...)
		}
		if s.Kind == delivery.StepPublish && p.Image != nil {
			lines = append(lines, "   # "+p.Image.Why, fmt.Sprintf("   package %s: what is in %s/, to run in %s", p.Image.Repository, p.Image.Source, p.Image.Home))
		}
	}
	return lines
}

// pod shows where the build takes place, with the reason for each line.
func pod(p delivery.Plan) []string {
	why := map[string]string{}
	for _, r := range p.PodWhy {
		why[r.Part] = r.Why
	}
	var lines []string
	add := func(field, line string) {
		if reason := why[field]; reason != "" { // an older plan has none
			line += ", as " + reason
		}
		lines = append(lines, line)
	}
	if p.BuildImage != "" {
		add(imageField, "builder  "+p.BuildImage+" in pods, and the machine's tools elsewhere")
	}
	if p.Pod != nil {
		for _, part := range podParts(*p.Pod) {
			add(part.field, "pod      "+part.text)
		}
	}
	return lines
}

// limit says how long the whole job may take, and by which document when it is less
// than its steps may.
func limit(p delivery.Plan) string {
	line := fmt.Sprintf("limit    %s in all", short(p.Timeout))
	if p.Cap > 0 && p.Cap == p.Timeout {
		line += ", as " + p.CapWhy + ".timeout"
	}
	return line
}

func tools(list []delivery.Tool) string {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.String()
	}
	return strings.Join(names, ", ")
}

// caches tells what is kept between builds, and whose builds share it.
func caches(p delivery.Plan) []string {
	whose := "of the app's unprotected builds"
	if p.Protected {
		whose = "of the stack's protected builds"
	}
	var lines []string
	for _, c := range p.Caches {
		line := fmt.Sprintf("cache    %s in ~/%s, %s", c.Name, c.Path, whose)
		if len(c.Keys) > 0 {
			line += ", for the same " + strings.Join(c.Keys, ", ")
		}
		lines = append(lines, line)
	}
	return lines
}

func stackLine(p delivery.Plan) string {
	switch {
	case p.Open:
		return strings.TrimSpace(p.Stack + " as the commit's own files ask for")
	case p.StackWhy != "":
		return p.Stack + ", as " + p.StackWhy
	}
	return p.Stack
}

// waits says for what a step waits, unless that is just the one before it.
func waits(steps []delivery.PlanStep, i int) string {
	needs := steps[i].Needs
	if i == 0 || len(needs) == 1 && needs[0] == steps[i-1].Name {
		return ""
	}
	if len(needs) == 0 {
		return "  at once"
	}
	return "  after " + strings.Join(needs, ", ")
}

func source(p delivery.Plan) string {
	if p.Path == "" {
		return p.Repo
	}
	return p.Repo + ", folder " + p.Path
}

func indented(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimRight("   "+line, "\n"))
	}
	return lines
}

// short leaves the zeros of a duration out: "15m", not "15m0s".
func short(d delivery.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
