package diagnose

import "strings"

// Bounds of evidence.
const (
	MaxEvidence = 5   // lines
	maxLine     = 300 // bytes of one
	lastLines   = 3   // shown when no line looks like an error
)

// Sample keeps the lines of an output that tell most. The zero value is ready.
type Sample struct {
	best    [telling + 1][]string // the first lines of each rank
	topic   topic                 // of the first line of the highest rank
	top     rank
	last    []string
	missing string // the tool that a shell last said it does not have
	vetting bool
}

// Add takes the next line, without its end.
func (s *Sample) Add(line string) {
	line = plain(line)
	if strings.TrimSpace(line) == "" {
		return
	}
	if strings.HasPrefix(line, "# ") {
		s.vetting = strings.HasPrefix(line, "# [") // go vet heads its findings so
	}
	if tool := missingTool(line); tool != "" {
		s.missing = tool
	}
	if s.last = append(s.last, line); len(s.last) > lastLines {
		s.last = s.last[1:]
	}
	r, about := classify(line)
	if r == nothing || len(s.best[r]) >= MaxEvidence {
		return
	}
	if about == compile && (s.vetting || strings.HasPrefix(line, "vet: ")) {
		about = vet
	}
	if r > s.top {
		s.top, s.topic = r, about
	}
	s.best[r] = append(s.best[r], strings.TrimSpace(line))
}

// Errors returns the first real error lines, at most MaxEvidence; when there is
// none, the last lines of the output.
func (s *Sample) Errors() []string {
	if s.top == nothing {
		return append([]string(nil), s.last...)
	}
	return append([]string(nil), s.best[s.top]...)
}

// FirstErrors is the evidence in a whole output.
func FirstErrors(lines []string) []string {
	var s Sample
	for _, line := range lines {
		s.Add(line)
	}
	return s.Errors()
}

// missingTool reads "sh: 1: mvn: not found", "sh: line 1: mvn: command not found"
// and "env: ‘node’: No such file or directory".
func missingTool(line string) string {
	head, ok := strings.CutSuffix(line, ": not found")
	if !ok {
		head, ok = strings.CutSuffix(line, ": command not found")
	}
	if !ok {
		_, rest, isEnv := strings.Cut(line, "env: ")
		if head, ok = strings.CutSuffix(rest, ": No such file or directory"); !ok || !isEnv {
			return ""
		}
	}
	tool := head[strings.LastIndex(head, ": ")+1:]
	tool = strings.Trim(tool, " '‘’\"`")
	if tool == "" || strings.ContainsAny(tool, " \t") {
		return ""
	}
	return tool
}

// plain takes terminal control sequences out of a line and bounds it.
func plain(line string) string {
	if strings.ContainsFunc(line, control) {
		line = stripControls(line)
	}
	line = strings.TrimRight(line, " \t")
	if len(line) <= maxLine {
		return line
	}
	n := maxLine - len("…")
	for n > 0 && line[n]&0xC0 == 0x80 { // not inside a character
		n--
	}
	return line[:n] + "…"
}

func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// stripControls drops control characters, and ECMA-48 CSI and OSC sequences.
func stripControls(line string) string {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == 0x1b:
			i += sequence(line[i+1:])
		case control(rune(c)):
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// sequence returns the length of the control sequence after an ESC.
func sequence(s string) int {
	switch {
	case s == "":
		return 0
	case s[0] == '[':
		for i := 1; i < len(s); i++ {
			if '@' <= s[i] && s[i] <= '~' {
				return i + 1
			}
		}
		return len(s)
	case s[0] == ']':
		if i := strings.IndexByte(s, 0x07); i >= 0 {
			return i + 1
		}
		if i := strings.Index(s, "\x1b\\"); i >= 0 {
			return i + 2
		}
		return len(s)
	}
	return 1
}
