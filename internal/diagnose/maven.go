package diagnose

import (
	"cmp"
	"strings"
)

// maven reads Maven's own words, which come with "[ERROR] " before them. The same
// error is said several times, in several forms.
type maven struct {
	pom  string // that the next errors are about
	goal string // whose message follows
}

// mavenNoise begins lines of Maven that say nothing of what went wrong.
var mavenNoise = []string{
	"[Help ", "Re-run", "re-run", "To see the full", "For more information", "After correcting the problems", "  mvn <args>",
	"COMPILATION ERROR", "Some problems were encountered", "The build could not read", "Failures:", "Errors:", "Tests run:", "-> [Help",
	"Please refer to ", "Command was ", "Error occurred in starting fork", "Process Exit Code", "Crashed tests:", "Fork exception",
	"Compilation failure", "There are test failures", "  location: ",
}

// line returns an error in a line of Maven in plain words. ok: the line is Maven's, and
// nothing else need look at it; an empty text is no error.
func (m *maven) line(line string) (text string, about topic, ok bool) {
	rest, ok := cutLevel(line)
	if !ok {
		return "", "", isProgress(line)
	}
	if place, msg, ok := javacPlace(rest); ok {
		return place + ": " + msg, compile, true
	}
	if project, ok := strings.CutPrefix(strings.TrimLeft(rest, " "), "The project "); ok && strings.HasSuffix(rest, " error") || strings.HasSuffix(rest, " errors") {
		_, project, _ = strings.Cut(project, "(")
		m.pom, _, _ = strings.Cut(project, ")")
		return "", "", true
	}
	if goal, ok := strings.CutPrefix(rest, "Failed to execute goal "); ok {
		return m.failed(goal)
	}
	helped := strings.Contains(rest, " -> [Help ")
	rest, _, _ = strings.Cut(rest, " -> [Help ")
	switch trimmed := strings.TrimSpace(rest); {
	case startsWith(trimmed, mavenNoise), startsWith(rest, mavenNoise), trimmed == "":
		return "", "", true
	case strings.Contains(rest, " @ line "):
		return m.model(trimmed), "", true
	case isSurefire(rest):
		return trimmed, tests, true
	case strings.Contains(rest, " option ") && strings.Contains(rest, "is no longer supported. Use "):
		return trimmed, compile, true
	case helped:
		return innermost(trimmed), "", true
	case m.goal != "" && !strings.HasSuffix(trimmed, ":"):
		text, m.goal = m.goal+": "+trimmed, ""
		return text, "", true
	}
	return "", "", false
}

// cutLevel takes "[ERROR] " and "[FATAL] " off, which may stand there twice.
func cutLevel(line string) (string, bool) {
	found := false
	for {
		rest, ok := strings.CutPrefix(line, "[ERROR] ")
		if !ok {
			rest, ok = strings.CutPrefix(line, "[FATAL] ")
		}
		if !ok {
			return line, found
		}
		line, found = rest, true
	}
}

func isProgress(line string) bool {
	return strings.HasPrefix(line, "[INFO] ") || strings.HasPrefix(line, "[WARNING] ") || line == "[INFO]" || line == "[ERROR]"
}

// javacPlace reads "src/Hello.java:[34,16] cannot find symbol" of Maven's compilers.
func javacPlace(line string) (place, msg string, ok bool) {
	file, rest, ok := strings.Cut(line, ":[")
	if !ok || !strings.Contains(file, ".") || strings.ContainsAny(file, " \t") {
		return "", "", false
	}
	at, msg, ok := strings.Cut(rest, "] ")
	row, column, two := strings.Cut(at, ",")
	if !ok || !two || number(row) != len(row) || number(column) != len(column) {
		return "", "", false
	}
	return file + ":" + row + ":" + column, strings.TrimPrefix(msg, "error: "), true
}

// failed reads "plugin:version:goal (id) on project shop: message", and "on project
// shop: message".
func (m *maven) failed(text string) (string, topic, bool) {
	who, msg, ok := strings.Cut(text, "on project ")
	if !ok {
		return text, "", true
	}
	_, msg, _ = strings.Cut(msg, ":")
	msg, _, _ = strings.Cut(strings.TrimSpace(msg), " -> [Help ")
	plugin := ""
	if parts := strings.Split(who, ":"); len(parts) >= 4 {
		plugin = parts[1]
	}
	switch {
	case startsWith(msg, mavenNoise):
		return "", "", true
	case msg == "":
		m.goal = cmp.Or(plugin, "maven")
		return "", "", true
	case plugin == "maven-compiler-plugin":
		msg = strings.TrimPrefix(strings.TrimPrefix(msg, "Fatal error compiling: "), "error: ")
		return msg, compile, true
	case plugin != "":
		return plugin + ": " + innermost(msg), "", true
	}
	return innermost(msg), "", true
}

// model reads what is wrong with a pom: "text @ line 14, column 17". The line is said
// once before the pom is known.
func (m *maven) model(line string) string {
	text, at, _ := strings.Cut(line, " @ line ")
	row, column, _ := strings.Cut(at, ", column ")
	pom := m.pom
	if file, msg, ok := strings.Cut(strings.TrimPrefix(text, "Non-parseable POM "), ": "); ok && strings.HasPrefix(text, "Non-parseable POM ") {
		pom = file
		text, _, _ = strings.Cut(msg, " (position: ")
	}
	if pom == "" {
		return ""
	}
	text, _, _ = strings.Cut(text, " and 'parent.relativePath' points at")
	return pom + ":" + row[:number(row)] + ":" + column[:number(column)] + ": " + text
}

// innermost returns the last link of "could not do this: could not do that".
func innermost(msg string) string {
	for _, start := range []string{"Could not find artifact ", "Could not transfer artifact "} {
		if i := strings.LastIndex(msg, start); i >= 0 {
			return msg[i:]
		}
	}
	return msg
}

// isSurefire matches "  HelloTest.isHealthy:17 » IllegalState no version" and
// "  HelloTest.namesItsVersion:12 expected: …".
func isSurefire(line string) bool {
	rest, ok := strings.CutPrefix(line, "  ")
	name, _, _ := strings.Cut(rest, " ")
	test, digits, numbered := strings.Cut(name, ":")
	dotted := strings.Contains(test, ".") && !strings.ContainsFunc(test, func(r rune) bool { return !identifier(r) })
	return ok && dotted && (numbered && number(digits) > 0 || strings.Contains(rest, " » "))
}
