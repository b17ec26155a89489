package quality

import (
	"strings"

	"github.com/shiplock/shiplock/internal/diagnose"
)

// tap reads the Test Anything Protocol with subtests indented by four spaces,
// the form of node --test. Every line is shown as it is.
type tap struct {
	tally
	roots   diagnose.Roots
	names   []string         // of the enclosing subtests, by depth
	results []int            // results seen at a depth since the one above it ended
	failing string           // name of the failure whose diagnostics are being read
	yaml    *tapReason       // the diagnostics, while they are being read
	why     tapReason        // those of the failing test
	said    *diagnose.Sample // by the test file that has not ended yet
}

// maxDepth bounds how deep subtests are told apart.
const maxDepth = 32

func newTAP(roots diagnose.Roots) *tap {
	t := &tap{roots: roots, names: make([]string, maxDepth), results: make([]int, maxDepth+1)}
	t.forget()
	return t
}

func (t *tap) forget() { t.said = &diagnose.Sample{Roots: t.roots} }

func (t *tap) End() []string { t.settle(); return nil }

func (t *tap) Line(line string) (string, bool) {
	body := strings.TrimLeft(line, " ")
	if t.yaml != nil {
		if body == "..." {
			t.yaml = nil
			t.settle()
		} else {
			t.yaml.hear(line, t.roots)
		}
		return line, true
	}
	depth := min((len(line)-len(body))/4, maxDepth-1)
	switch {
	case body == "---" && t.failing != "":
		t.yaml = &t.why
	case strings.HasPrefix(body, "# Subtest: "):
		t.settle()
		t.names[depth] = t.name(strings.TrimPrefix(body, "# Subtest: "))
	case strings.HasPrefix(body, "# "):
		t.said.Add(strings.ReplaceAll(body, `\#`, "#"))
	case strings.HasPrefix(body, "ok "), body == "ok":
		t.settle()
		t.result(depth, strings.TrimPrefix(body, "ok"), true)
	case strings.HasPrefix(body, "not ok"):
		t.settle()
		t.result(depth, strings.TrimPrefix(body, "not ok"), false)
	case strings.HasPrefix(body, "Bail out!"):
		t.settle()
		t.fail("Bail out!", strings.TrimSpace(strings.TrimPrefix(body, "Bail out!")))
	case t.failing != "" && strings.HasPrefix(line, "  "):
		t.why.overhear(body, t.roots)
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
		t.failing, t.why = t.path(depth, name), tapReason{}
	}
	if depth == 0 && t.failing == "" {
		t.forget()
	}
}

func (t *tap) name(s string) string { return clip(t.roots.Trim(s), maxName) }

func (t *tap) path(depth int, name string) string {
	parts := append([]string{}, t.names[:depth]...)
	if name == "" {
		name = "(unnamed)"
	}
	return strings.Join(append(parts, t.roots.Trim(name)), " > ")
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

// settle counts the failure whose diagnostics have ended. A whole file that failed
// has said why before.
func (t *tap) settle() {
	if t.failing != "" {
		why := t.why.String()
		if why == "" && t.said.Found() {
			why = t.said.Main()
		}
		if why == "" {
			why = t.why.exit()
		}
		t.fail(t.failing, t.roots.Trim(why))
		t.forget()
	}
	t.failing, t.yaml = "", nil
}
