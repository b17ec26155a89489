package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// table prints rows under a head, aligned. On a terminal the last column, which is
// the talkative one, is cut at its edge; what is left of it is whole.
func (c *console) table(head string, rows [][]string) {
	if len(rows) == 0 {
		fmt.Fprintln(c.Err, c.say("There are none."))
		return
	}
	all := append([][]string{c.heads(head)}, rows...)
	c.sayWords(strings.Fields(head), rows)
	widths := make([]int, len(all[0]))
	for _, row := range all {
		for i, cell := range row {
			if row[i] = word(cell); row[i] == "" {
				row[i] = "-"
			}
			widths[i] = max(widths[i], width(row[i]))
		}
	}
	edge := c.columns()
	if whole := len(aligned(make([]string, len(widths)), widths)) + len("CAUSE"); edge < whole {
		edge = 0
	}
	for _, row := range all {
		fmt.Fprintln(c.Out, clip(aligned(row, widths), edge))
	}
}

// heads are the heads of columns in the reader's language.
func (c *console) heads(head string) []string {
	names := strings.Fields(head)
	for i, name := range names {
		names[i] = c.in(name)
	}
	return names
}

// wordColumns hold words of ours: states, kinds and notes.
var wordColumns = []string{"STATE", "KIND", "NOTE", "RELEASES", "STRATEGY", "PROGRESS", "OUTCOME", "CONTAINS", "DRIFT", "WHY"}

func (c *console) sayWords(names []string, rows [][]string) {
	for i, name := range names {
		if name == "VERSION" {
			c.sayMarks(i, rows)
		}
		if !slices.Contains(wordColumns, name) {
			continue
		}
		for _, row := range rows {
			row[i] = c.in(row[i])
		}
	}
}

// sayMarks translates the watermark behind versions, which are nobody's words.
func (c *console) sayMarks(column int, rows [][]string) {
	for _, row := range rows {
		if version, marked := strings.CutSuffix(row[column], " "+emergencyMark); marked {
			row[column] = version + " " + c.in(emergencyMark)
		}
	}
}

// aligned joins cells, padded to their columns' widths.
func aligned(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		b.WriteString(cell)
		if i < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", widths[i]-width(cell)+2))
		}
	}
	return b.String()
}

// columns is the width of the terminal; 0 when there is none.
func (c *console) columns() int {
	if !c.Terminal {
		return 0
	}
	return columnsOf(c.Out)
}

// columnsOf is how many columns a terminal has, or usually has.
func columnsOf(w io.Writer) int {
	const usual = 80
	f, ok := w.(*os.File)
	if !ok {
		return usual
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil || n < 1 {
		return usual
	}
	return n
}

// clip cuts a line to at most edge columns; 0 is no edge.
func clip(line string, edge int) string {
	if edge == 0 || width(line) <= edge {
		return line
	}
	used := 1 // the mark's
	for i, r := range line {
		if used += runeWidth(r); used > edge {
			return line[:i] + "…"
		}
	}
	return line
}

// width is how many columns a terminal gives a text without control characters.
func width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// runeWidth follows Unicode's East Asian Width (UAX #11) for the scripts that
// names and commit titles are written in.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana),
		r >= 0x3000 && r <= 0x303e, // CJK punctuation
		r >= 0xff01 && r <= 0xff60, // full-width forms
		r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1faff: // pictographs
		return 2
	}
	return 1
}
