package cli

import (
	"fmt"
	"io"
	"strings"
)

// screen shows the state of something as lines. On a terminal they are drawn over;
// elsewhere only lines that say something new are added.
type screen struct {
	w        io.Writer
	terminal bool
	drawn    int
	seen     map[string]bool
}

func newScreen(w io.Writer, terminal bool) *screen {
	return &screen{w: w, terminal: terminal, seen: map[string]bool{}}
}

func (s *screen) show(lines []string) {
	if !s.terminal {
		for _, l := range lines {
			if !s.seen[l] {
				s.seen[l] = true
				fmt.Fprintln(s.w, l)
			}
		}
		return
	}
	var b strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", s.drawn) // cursor up, then clear to the end
	}
	b.WriteString("\r\x1b[J")
	for _, l := range lines {
		b.WriteString(clip(l) + "\n")
	}
	s.drawn = len(lines)
	_, _ = io.WriteString(s.w, b.String()) // a broken terminal ends the program by itself
}

// screenWidth is a width that no line exceeds, for a wrapped line could not be
// drawn over.
const screenWidth = 100

func clip(line string) string {
	r := []rune(line)
	if len(r) <= screenWidth {
		return line
	}
	return string(r[:screenWidth-1]) + "…"
}
