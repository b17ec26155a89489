package diagnose

import "strings"

// gradle reads Gradle's report of a failed build:
//
//   - Where:
//     Build file '/src/build.gradle' line: 4
//
//   - What went wrong:
//     Execution failed for task ':compileJava'.
//     > Could not resolve all files for configuration ':compileClasspath'.
//     > Could not find com.example:x:9.
type gradle struct {
	section string
	place   string
	said    *entry
	startup bool // the script's fault is in the next line
}

var gradleNoise = []string{"Execution failed for task ", "Compilation failed; see the compiler ", "There were failing tests", "Searched in the following", "Required by:"}

// line returns the entry that a line of the report makes or makes better; ok: the line
// is the report's.
func (g *gradle) line(line string) (e *entry, ok bool) {
	if title, found := strings.CutPrefix(line, "* "); found && strings.HasSuffix(title, ":") {
		if title == "Where:" {
			g.place = ""
		}
		g.section, g.said = title, nil
		return nil, true
	}
	switch g.section {
	case "Where:":
		g.section = ""
		if _, file, found := strings.Cut(line, "'"); found {
			file, rest, _ := strings.Cut(file, "'")
			if _, n, found := strings.Cut(rest, " line: "); found && number(n) > 0 {
				g.place = file + ":" + n[:number(n)]
			}
		}
		return nil, true
	case "What went wrong:":
		return g.wrong(line)
	}
	return nil, false
}

// wrong goes down the chain of reasons: the last one tells most.
func (g *gradle) wrong(line string) (*entry, bool) {
	text := strings.TrimLeft(line, " >")
	deeper := strings.HasPrefix(strings.TrimLeft(line, " "), "> ")
	switch {
	case g.startup: // build file '/src/build.gradle': 3: text
		g.startup = false
		if _, fault, ok := strings.Cut(text, ": "); ok && g.said != nil {
			_, g.said.text, _ = strings.Cut(fault, ": ")
		}
	case text == "startup failed:":
		g.startup = true
	case startsWith(text, gradleNoise):
	case g.said == nil:
		g.said = &entry{place: g.place, text: text}
		return g.said, true
	case deeper:
		g.said.text = text
	}
	return nil, true
}
