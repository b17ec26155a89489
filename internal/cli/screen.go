package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// screen shows the state of something as lines. On a terminal they are drawn over;
// elsewhere only lines that say something new are added.
type screen struct {
	w        io.Writer
	terminal bool
	drawn    int // rows
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
	s.drawn = 0
	for columns := columnsOf(s.w); len(lines) > 0; lines = lines[1:] {
		b.WriteString(lines[0] + "\n")
		s.drawn += rows(lines[0], columns)
	}
	_, _ = io.WriteString(s.w, b.String()) // a broken terminal ends the program by itself
}

// brokenOff tells who interrupts a watch that only the watching ended.
func (c *console) brokenOff(ctx context.Context, err error, goesOn string) error {
	if ctx.Err() == nil {
		return err
	}
	fmt.Fprintf(c.Err, "\n%s\n", c.say("No longer watching; %s.", goesOn))
	return errBadEnd
}

// rows is how many rows of a terminal a line fills.
func rows(line string, columns int) int {
	return max(1, (width(line)+columns-1)/columns)
}
