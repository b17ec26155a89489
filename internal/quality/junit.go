package quality

import (
	"cmp"
	"strings"

	"github.com/shiplock/shiplock/internal/diagnose"
)

// junit reads the XML that many tools write in the manner of Ant's JUnit task:
// https://maven.apache.org/surefire/maven-surefire-plugin/xsd/surefire-test-report.xsd
// and https://github.com/jenkinsci/xunit-plugin (JUnit schema 10). Suites may nest.
type junit struct {
	*tally
	roots       diagnose.Roots
	mask        func(string) string
	name, class string // of the case
	result      string // "failure", "error", "skipped" or ""
	inside      string // the part of a case whose text is read
	kind        string // of the failure, such as an exception's class
	message     string
	body        strings.Builder
}

// maxBody bounds what is read of a text, in bytes; what is shown is shorter.
const maxBody = 4 << 10

func (j *junit) start(e element) error {
	switch e.name {
	case "testcase":
		j.name, j.class = clip(e.attr("name"), maxBody), clip(cmp.Or(e.attr("classname"), e.attr("class")), maxBody)
		j.result, j.kind, j.message = "", "", ""
		j.body.Reset()
	case "failure", "error", "skipped":
		if e.parent != "testcase" || j.result == "failure" || j.result == "error" {
			break // the first failure tells; reruns have names of their own
		}
		j.result, j.inside = e.name, e.name
		j.kind, j.message = clip(e.attr("type"), maxBody), clip(e.attr("message"), maxBody)
		j.body.Reset()
	}
	return nil
}

func (j *junit) text(b []byte) {
	if j.inside != "" && j.body.Len() < maxBody {
		j.body.Write(b[:min(len(b), maxBody)])
	}
}

func (j *junit) end(name string) error {
	switch name {
	case j.inside:
		j.inside = ""
	case "testcase":
		j.count()
	}
	return nil
}

func (j *junit) count() {
	switch j.result {
	case "failure", "error":
		title, message := j.title(), j.roots.Trim(cmp.Or(oneLine(j.message), j.told(), j.kind))
		if place := j.place(); place != "" && !strings.Contains(message, place) {
			message = place + ": " + message
		}
		if j.mask != nil {
			title, message = j.mask(title), j.mask(message)
		}
		j.fail(title, message)
	case "skipped":
		j.Skipped++
	default:
		j.Passed++
	}
}

// title is the test's name with its class or file, unless that says it already.
func (j *junit) title() string {
	name, class := strings.TrimSpace(j.name), strings.TrimSpace(j.class)
	switch {
	case name == "":
		return cmp.Or(class, "(unnamed)")
	case class == "" || strings.HasPrefix(name, class):
		return name
	case strings.Contains(class, "/"):
		return class + " > " + name
	}
	return class + "." + name
}

// place is the innermost of the app's own in the failure's stack.
func (j *junit) place() string {
	for line := range strings.Lines(j.body.String()) {
		if place, ok := j.roots.Place(strings.TrimRight(line, "\r\n")); ok {
			return place
		}
	}
	return ""
}

// told is what the failure's text says before its stack; PHPUnit's begins with the
// test's name.
func (j *junit) told() string {
	text := strings.TrimSpace(j.body.String())
	if first, rest, ok := strings.Cut(text, "\n"); ok && strings.HasSuffix(strings.TrimSpace(first), "::"+j.name) {
		text = rest
	}
	var said strings.Builder
	for line := range strings.Lines(text) {
		if _, ok := j.roots.Place(strings.TrimRight(line, "\r\n")); ok {
			break
		}
		said.WriteString(line)
	}
	return oneLine(said.String())
}
