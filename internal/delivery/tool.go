package delivery

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Tool is a program that a build needs on the PATH, and the versions of it that will
// do. It reads and writes as "npm", "go >= 1.22" or "php >= 7.4 < 8".
type Tool struct {
	Name string
	// AtLeast is the lowest version that will do, Below the lowest that is too new;
	// both are numbers with dots between them, or empty.
	AtLeast, Below string
}

func (t Tool) String() string {
	s := t.Name
	if t.AtLeast != "" {
		s += " >= " + t.AtLeast
	}
	if t.Below != "" {
		s += " < " + t.Below
	}
	return s
}

func (t Tool) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

func (t *Tool) UnmarshalText(text []byte) error {
	spaced := strings.NewReplacer(">=", " >= ", "<", " < ").Replace(string(text))
	words := strings.Fields(spaced)
	var v Tool
	if len(words) > 0 && programName(words[0]) {
		v.Name, words = words[0], words[1:]
	}
	if len(words) >= 2 && words[0] == ">=" && version(words[1]) != nil {
		v.AtLeast, words = words[1], words[2:]
	}
	if len(words) >= 2 && words[0] == "<" && version(words[1]) != nil {
		v.Below, words = words[1], words[2:]
	}
	if v.Name == "" || len(words) > 0 {
		return E(Invalid, fmt.Sprintf("%q is not a tool: write a program's name without a path or arguments, and if need be its version, like go >= 1.22", clip(string(text), 40)))
	}
	*t = v
	return nil
}

func programName(s string) bool {
	for i, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("-_.+", r)) {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

// Versioned says whether the tool's version matters.
func (t Tool) Versioned() bool { return t.AtLeast != "" || t.Below != "" }

// Fits tells whether a version of the tool will do.
func (t Tool) Fits(found string) bool {
	return (t.AtLeast == "" || compareVersions(found, t.AtLeast) >= 0) && (t.Below == "" || compareVersions(found, t.Below) < 0)
}

// Wanted says for people which versions will do: "1.22 or newer".
func (t Tool) Wanted() string {
	switch {
	case t.AtLeast == "":
		return "older than " + t.Below
	case t.Below == "":
		return t.AtLeast + " or newer"
	}
	return t.AtLeast + " or newer, and older than " + t.Below
}

// Asking returns the arguments with which the tool tells its version.
func (t Tool) Asking() []string {
	switch t.Name {
	case "go":
		return []string{"version"}
	case "java", "javac":
		return []string{"-version"} // Java 8 knows no other
	}
	return []string{"--version"}
}

// Version finds the version in what the tool says of itself; "" when it says none.
func (t Tool) Version(said string) string {
	found := ""
	for rest := said; rest != ""; {
		n := strings.IndexFunc(rest, func(r rune) bool { return '0' <= r && r <= '9' })
		if n < 0 {
			break
		}
		rest = rest[n:]
		end := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if end < 0 {
			end = len(rest)
		}
		number := strings.TrimRight(rest[:end], ".")
		if rest = rest[end:]; found == "" || strings.Contains(number, ".") {
			found = number
		}
		if strings.Contains(number, ".") {
			break
		}
	}
	if old, ok := strings.CutPrefix(found, "1."); ok && (t.Name == "java" || t.Name == "javac") {
		return old // Java 8 calls itself 1.8
	}
	return found
}

// version reads numbers with dots between them; nil when s is something else.
func version(s string) []int {
	var list []int
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil
		}
		list = append(list, n)
	}
	return list
}

func compareVersions(a, b string) int {
	x, y := version(a), version(b)
	for i := range max(len(x), len(y)) {
		var p, q int
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if c := cmp.Compare(p, q); c != 0 {
			return c
		}
	}
	return 0
}
