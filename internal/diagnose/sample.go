package diagnose

import (
	"slices"
	"strings"
)

// Bounds of a Sample.
const (
	// MaxEvidence is the most lines of evidence in a Cause.
	MaxEvidence = 5
	lastLines   = 3  // shown when no line looks like an error
	traceLines  = 64 // after an error, within which its place is looked for
	leadLines   = 16 // before an error, likewise
)

// Sample keeps the lines of an output that tell most. The zero value is ready.
type Sample struct {
	// Roots are where the app's own code is.
	Roots Roots
	// Latest keeps the last errors instead of the first ones.
	Latest bool

	best    [telling + 1][]*entry
	topic   topic // of the first line of the highest rank
	top     rank
	last    []string
	missing string // the tool that a shell last said it does not have
	heading string // go heads what the compiler and vet say
	unbuilt bool   // go test could not build a package
	helping bool   // a program explains its options after an error
	file    string // that a linter's lines are about
	unnamed *entry // "cannot find symbol": the symbol may follow
	unmain  bool   // java has no main class: the exception that follows says no more
	maven   maven
	gradle  gradle
	spring  spring
	bundler bundler
	specs   specs
	native  native

	lead  string // a place that the next exception may be about
	leads int    // for how many lines more
	open  *entry // an error whose place may follow
	opens int    // within how many lines more
}

// entry is an error with its place in the app's own code, when that is known.
type entry struct{ place, text string }

func (e *entry) String() string {
	if e.place == "" {
		return e.text
	}
	return plain(e.place + ": " + e.text)
}

// Add takes the next line, without its end.
func (s *Sample) Add(line string) {
	whole := uncontrolled(line)
	line = plain(line)
	if strings.TrimSpace(line) == "" {
		return
	}
	if rest, ok := strings.CutPrefix(line, "# "); ok {
		s.heading, line = rest, rest // TAP quotes what a test says in the same way
	}
	if whole = s.Roots.Trim(whole); s.spec(strings.TrimRight(whole, " \t")) || s.trace(line) || s.report(whole) {
		return
	}
	line = s.Roots.Trim(Unstamped(line))
	if tool := missingTool(line); tool != "" {
		s.missing = tool
	}
	if isScript(line) {
		s.file = line
	}
	s.unbuilt = s.unbuilt || strings.HasSuffix(line, " [build failed]")
	noise := isNoise(line)
	s.helping = s.helping || isUsage(line)
	if !s.helping && !isTrailer(line) && (!noise || len(line) < 4) { // a short word may be the last
		if s.last = append(s.last, line); len(s.last) > lastLines {
			s.last = s.last[1:]
		}
	}
	if noise {
		return
	}
	r, about := classify(line)
	if r == nothing {
		return
	}
	if about == compile && strings.Contains(line, ".go:") {
		about = s.gopher(line)
	}
	s.keep(r, about, line)
}

// spec reads what runners of tests say in a form of their own, with places.
func (s *Sample) spec(line string) bool {
	e, ok := s.specs.line(line)
	if e != nil && !known(s.best[telling], e) {
		s.put(telling, tests, e)
		s.open, s.opens = e, traceLines
	}
	return ok
}

// report reads what build tools and frameworks say in a form of their own.
func (s *Sample) report(line string) bool {
	if e, ok := s.bundler.line(strings.TrimRight(line, " \t")); ok {
		if e != nil {
			s.put(telling, compile, e)
		}
		return true
	}
	if text, about, ok := s.native.line(strings.TrimRight(line, " \t")); ok {
		if text != "" {
			s.put(telling, about, &entry{text: plain(text)})
		}
		return true
	}
	if e, ok := s.gradle.line(line); ok {
		if e != nil {
			s.put(telling, "", e)
		}
		return true
	}
	if s.spring.line(line) {
		s.put(telling, crash, &entry{text: plain(line)})
		return true
	}
	if strings.HasPrefix(line, "Error: Could not find or load main class ") {
		s.unmain = true
		s.put(telling, crash, &entry{text: plain(line)})
		return true
	}
	if s.unmain && strings.HasPrefix(line, "Caused by: java.lang.ClassNotFoundException: ") {
		s.unmain = false
		return true
	}
	if s.named(line) {
		return true
	}
	text, about, ok := s.maven.line(line)
	if text != "" {
		s.put(telling, about, &entry{text: plain(text)})
	}
	return ok
}

// named completes "cannot find symbol" with the symbol, which stands below it.
func (s *Sample) named(line string) bool {
	line, _ = cutLevel(line)
	symbol, ok := strings.CutPrefix(strings.TrimSpace(line), "symbol:")
	if !ok || s.unnamed == nil {
		return ok
	}
	e := s.unnamed
	text := plain(e.text + ": " + strings.Join(strings.Fields(symbol), " "))
	same := func(known *entry) bool { return known != e && known.text == text }
	if slices.ContainsFunc(s.best[telling], same) {
		s.best[telling] = slices.DeleteFunc(s.best[telling], func(known *entry) bool { return known == e })
	}
	e.text, s.unnamed = text, nil
	return true
}

// gopher tells whose finding in Go code a line is: a heading "# [package]" is vet's,
// and without any it is go's itself or that of go vet alone.
func (s *Sample) gopher(line string) topic {
	switch {
	case strings.HasPrefix(s.heading, "["), strings.HasPrefix(line, "vet: "):
		return vet
	case s.heading == "":
		return ""
	case !strings.HasSuffix(s.heading, ".test]"):
		return compileOrVet
	}
	return compile
}

// about is what failed; empty when it is not known.
func (s *Sample) about() topic {
	switch {
	case s.topic != compileOrVet:
		return s.topic
	case s.unbuilt:
		return ""
	}
	return compile
}

// trace reads stack frames, for the place that belongs to an error.
func (s *Sample) trace(line string) bool {
	s.leads, s.opens = max(0, s.leads-1), max(0, s.opens-1)
	f, ok := s.Roots.frame(line)
	switch {
	case !ok:
	case f.leads:
		s.lead, s.leads = f.place, leadLines
	case f.place != "" && s.open != nil && s.opens > 0:
		s.open.place, s.open = f.place, nil
	}
	return ok
}

func (s *Sample) keep(r rank, about topic, line string) {
	e := &entry{text: essence(line)}
	switch about {
	case lint:
		e.text = s.file + ":" + strings.Join(strings.Fields(e.text), " ")
	case exception:
		if s.leads > 0 {
			e.place = s.lead
		}
		s.lead = ""
	}
	if r == telling {
		s.open = nil
		if e.place == "" && (about == exception || about == crash) {
			s.open, s.opens = e, traceLines
		}
	}
	s.put(r, about, e)
}

func (s *Sample) put(r rank, about topic, e *entry) {
	if strings.HasSuffix(e.text, "cannot find symbol") {
		s.unnamed = e
	}
	if r > s.top {
		s.top, s.topic = r, about
	}
	s.add(r, e)
}

func (s *Sample) add(r rank, e *entry) {
	list := s.best[r]
	for i, known := range list {
		if known.text != e.text {
			continue
		}
		if !s.Latest {
			return
		}
		list = append(list[:i:i], list[i+1:]...)
		break
	}
	if len(list) >= MaxEvidence {
		if !s.Latest {
			return
		}
		list = list[1:]
	}
	s.best[r] = append(list, e)
}

// wrappings are what tools put around an error.
var wrappings = struct{ before, after []string }{
	[]string{"npm ERR! ", "npm error ", "network ", "engine ", "vet: ", "Uncaught ", "Caused by: ", "[cause]: ", "Exception during run: ", "- "},
	[]string{"; to add it:", "; to add:", " {"},
}

// essence takes a line's wrapping off.
func essence(line string) string {
	line = strings.TrimSpace(line)
	if text, ok := phpError(line); ok {
		return text
	}
	for _, before := range wrappings.before {
		line = strings.TrimPrefix(line, before)
	}
	for _, after := range wrappings.after {
		line = strings.TrimSuffix(line, after)
	}
	if strings.HasPrefix(line, "panic: ") {
		line, _, _ = strings.Cut(line, " [recovered")
	}
	if _, inner, ok := strings.Cut(line, `This activity created the error "`); ok { // node --test
		line, _, _ = strings.Cut(inner, `" which triggered`)
	}
	return line
}

// isScript matches the line with a file's name above a linter's findings.
func isScript(line string) bool {
	dot := strings.LastIndexByte(line, '.')
	if dot <= 0 || strings.ContainsAny(line, " \t:") {
		return false
	}
	switch line[dot+1:] {
	case "js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx", "vue":
		return true
	}
	return false
}

// Errors returns the first real error lines, at most MaxEvidence, or the last ones;
// when there is none, the last lines of the output.
func (s *Sample) Errors() []string {
	if s.top == nothing {
		return discreetly(s.last)
	}
	var lines []string
	for _, e := range s.best[s.top] {
		lines = append(lines, Discreet(e.String()))
	}
	return lines
}

// Found reports whether any line looked like an error.
func (s *Sample) Found() bool { return s.top > nothing }

// Main returns the line that tells most: the first real error, or the last one, or
// else the last words; "" when nothing was said.
func (s *Sample) Main() string {
	lines := s.Errors()
	switch {
	case len(lines) == 0:
		return ""
	case s.top == nothing || s.Latest:
		return strings.TrimSpace(lines[len(lines)-1])
	}
	return lines[0]
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
