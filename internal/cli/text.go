package cli

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// sequence is a terminal control sequence: CSI, OSC and its kind, or two bytes.
var sequence = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])|\u009b[0-?]*[ -/]*[@-~]")

// colour is the only sequence that may reach a terminal (ECMA-48, SGR).
var colour = regexp.MustCompile("^\x1b\\[[0-9;:]*m$")

// neutral makes foreign text harmless for a terminal: of control characters only
// tabs are kept, of sequences only colours, which are switched off at its end.
func neutral(s string) string {
	if !strings.ContainsFunc(s, harmful) {
		return s
	}
	var b strings.Builder
	coloured, from := false, 0
	for _, at := range sequence.FindAllStringIndex(s, -1) {
		b.WriteString(strip(s[from:at[0]]))
		if seq := s[at[0]:at[1]]; colour.MatchString(seq) {
			coloured = true
			b.WriteString(seq)
		}
		from = at[1]
	}
	b.WriteString(strip(s[from:]))
	if coloured {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}

func strip(s string) string {
	return strings.Map(func(r rune) rune {
		if harmful(r) {
			return -1
		}
		return r
	}, s)
}

// harmful covers C0, C1, and the marks that reorder text.
func harmful(r rune) bool {
	return r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

// word is foreign text in a line of ours: neutral, without colours or tabs.
func word(s string) string {
	s = sequence.ReplaceAllString(s, "")
	return strip(strings.NewReplacer("\t", " ", "\n", " ").Replace(s))
}

// causeLines shows why something waits or failed: the cause, its evidence
// indented, and what to do next.
func (c *console) causeLines(cause *delivery.Cause) []string {
	if cause == nil {
		return nil
	}
	where := ""
	if cause.Step != "" && !strings.Contains(cause.Text, cause.Step) {
		where = " " + c.say("(step %s)", cause.Step)
	}
	out := []string{c.say("Cause: %s", word(cause.Text)+word(where))}
	for _, e := range cause.Evidence {
		if strings.Contains(cause.Text, e) {
			continue // said already
		}
		for line := range strings.Lines(e) {
			out = append(out, "    "+word(strings.TrimRight(line, "\r\n")))
		}
	}
	if cause.Next != "" {
		out = append(out, c.say("Next: %s", word(cause.Next)))
	}
	return out
}

func printLines(w io.Writer, lines []string) {
	for _, l := range lines {
		fmt.Fprintln(w, l)
	}
}

// revision is "#17 1a2b3c4d", how people know a version.
func revision(r api.RevisionSummary) string {
	switch {
	case r.RunNumber == 0 && r.ID == "":
		return ""
	case r.RunNumber == 0:
		return r.ID.Short()
	}
	return strings.TrimSpace(fmt.Sprintf("#%d %s", r.RunNumber, r.Commit.Short()))
}
