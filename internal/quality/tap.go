package quality

import "strings"

// tap reads the Test Anything Protocol with subtests indented by four spaces,
// the form of node --test. Every line is shown as it is.
type tap struct {
	tally
	names   []string // of the enclosing subtests, by depth
	results []int    // results seen at a depth since the one above it ended
	failing string   // name of the failure whose diagnostics are being read
	yaml    bool
	block   bool // the next line is the error's first
	found   string
}

// maxDepth bounds how deep subtests are told apart.
const maxDepth = 32

func newTAP() *tap {
	return &tap{names: make([]string, maxDepth), results: make([]int, maxDepth+1)}
}

func (t *tap) End() []string { t.settle(); return nil }

func (t *tap) Line(line string) (string, bool) {
	body := strings.TrimLeft(line, " ")
	if t.yaml {
		t.diagnostic(strings.TrimSpace(body))
		return line, true
	}
	depth := min((len(line)-len(body))/4, maxDepth-1)
	switch {
	case body == "---" && t.failing != "":
		t.yaml = true
	case strings.HasPrefix(body, "# Subtest: "):
		t.settle()
		t.names[depth] = clip(strings.TrimPrefix(body, "# Subtest: "), maxName)
	case strings.HasPrefix(body, "ok "), body == "ok":
		t.settle()
		t.result(depth, strings.TrimPrefix(body, "ok"), true)
	case strings.HasPrefix(body, "not ok"):
		t.settle()
		t.result(depth, strings.TrimPrefix(body, "not ok"), false)
	case strings.HasPrefix(body, "Bail out!"):
		t.settle()
		t.fail("Bail out!", strings.TrimSpace(strings.TrimPrefix(body, "Bail out!")))
	}
	return line, true
}

func (t *tap) result(depth int, rest string, ok bool) {
	name, directive := description(rest)
	parent := t.results[depth+1] > 0
	t.results[depth+1] = 0
	t.results[depth]++
	switch {
	case parent:
	case directive == "SKIP" || directive == "TODO":
		t.Skipped++
	case ok:
		t.Passed++
	default:
		t.failing, t.found = t.path(depth, name), ""
	}
}

func (t *tap) path(depth int, name string) string {
	parts := append([]string{}, t.names[:depth]...)
	if name == "" {
		name = "(unnamed)"
	}
	return strings.Join(append(parts, name), " > ")
}

// description splits " 3 - name # SKIP why".
func description(rest string) (name, directive string) {
	rest = strings.TrimLeft(rest, " ")
	rest = strings.TrimLeft(rest, "0123456789")
	rest = strings.TrimPrefix(strings.TrimLeft(rest, " "), "- ")
	if i := strings.LastIndex(rest, " # "); i >= 0 {
		word, _, _ := strings.Cut(rest[i+3:], " ")
		if word = strings.ToUpper(word); word == "SKIP" || word == "TODO" {
			return strings.TrimSpace(rest[:i]), word
		}
	}
	return strings.TrimSpace(rest), ""
}

// diagnostic looks for the message in a YAML block: "error: 'text'", or
// "error: |-" with the text on the lines below; "message:" in other producers.
func (t *tap) diagnostic(line string) {
	if line == "..." {
		t.settle()
		return
	}
	if t.found != "" {
		return
	}
	if t.block {
		t.found = clip(line, maxMessage)
		t.block = line == ""
		return
	}
	value, ok := strings.CutPrefix(line, "error:")
	if !ok {
		value, ok = strings.CutPrefix(line, "message:")
	}
	if !ok {
		return
	}
	if value = strings.Trim(strings.TrimSpace(value), `'"`); strings.HasPrefix(value, "|") || strings.HasPrefix(value, ">") {
		t.block = true
		return
	}
	t.found = clip(value, maxMessage)
}

// settle counts the failure whose diagnostics have ended.
func (t *tap) settle() {
	if t.failing != "" {
		t.fail(t.failing, t.found)
	}
	t.failing, t.found, t.yaml, t.block = "", "", false, false
}
