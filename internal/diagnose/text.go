package diagnose

import "strings"

// maxLine bounds a Cause's text and each line of its evidence, in bytes.
const maxLine = 300

// Line makes any text fit for a Cause: one line of at most 300 bytes, without
// terminal control sequences and without credentials.
func Line(text string) string {
	return plain(Discreet(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), " ")))
}

// plain takes terminal control sequences out of a line and bounds it.
func plain(line string) string {
	line = strings.TrimRight(uncontrolled(line), " \t")
	if len(line) <= maxLine {
		return line
	}
	// A credential must not be cut, or it is no longer recognised.
	if line = Discreet(line[:min(len(line), 4*maxLine)]); len(line) <= maxLine {
		return line
	}
	n := maxLine - len("…")
	for n > 0 && line[n]&0xC0 == 0x80 { // not inside a character
		n--
	}
	return line[:n] + "…"
}

// uncontrolled takes terminal control sequences out of a line.
func uncontrolled(line string) string {
	line = strings.ToValidUTF8(line, "\uFFFD") // of a tool in a locale that is not UTF-8
	if strings.ContainsFunc(line, control) {
		return stripControls(line)
	}
	return line
}

func control(r rune) bool { return r < ' ' && r != '\t' || 0x7f <= r && r < 0xa0 }

// stripControls drops control characters, and ECMA-48 CSI and OSC sequences.
func stripControls(line string) string {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == 0x1b:
			i += sequence(line[i+1:])
		case c < 0x80 && control(rune(c)):
		case c == 0xC2 && i+1 < len(line) && line[i+1] < 0xA0: // C1 in UTF-8
			i++
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
	case s[0] >= 0x80: // of a longer character
		return 0
	}
	return 1
}

// stamp is the form of a date and time, '0' standing for any digit. A dash may be
// a slash, and the space a T.
const stamp = "0000-00-00 00:00:00"

// Unstamped takes the date and time off the beginning of a line of a log.
func Unstamped(line string) string {
	rest := strings.TrimPrefix(line, "[")
	if len(rest) <= len(stamp) {
		return line
	}
	for i := range len(stamp) {
		if !fits(rest[i], stamp[i]) {
			return line
		}
	}
	rest = strings.TrimLeft(rest[len(stamp):], ".,:+-Z]0123456789") // fraction and zone
	if rest = strings.TrimLeft(rest, " "); rest == "" {
		return line
	}
	return rest
}

func fits(c, form byte) bool {
	switch form {
	case '0':
		return '0' <= c && c <= '9'
	case '-':
		return c == '-' || c == '/'
	case ' ':
		return c == ' ' || c == 'T'
	}
	return c == form
}
