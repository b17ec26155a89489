// Package docs checks what documents promise of each other.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

var (
	link    = regexp.MustCompile(`\]\(([^)]+)\)`)
	code    = regexp.MustCompile("`[^`]+`")
	comment = regexp.MustCompile(`\s+#.*`)
)

// outline is what two translations of a page have in common: levels of headings,
// kinds of paragraphs, code without its comments, and links.
func outline(t *testing.T, page string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", page))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	fenced := false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
			out = append(out, line)
		case fenced:
			out = append(out, comment.ReplaceAllString(line, ""))
		case line == "":
		case strings.Contains(line, "(README"): // the switch between the languages
			out = append(out, "languages")
		default:
			out = append(out, shape(line))
		}
	}
	return out
}

func shape(line string) string {
	kind := "text"
	switch {
	case strings.HasPrefix(line, "#"):
		kind = line[:strings.IndexByte(line, ' ')]
	case strings.HasPrefix(line, "|"):
		kind = "row"
	case strings.HasPrefix(line, "* "):
		kind = "item"
	}
	for _, m := range link.FindAllStringSubmatch(line, -1) {
		kind += " " + m[1]
	}
	for _, m := range code.FindAllString(line, -1) {
		kind += " " + m
	}
	return kind
}

func TestTranslatedReadmeSaysTheSame(t *testing.T) {
	if diff := cmp.Diff(outline(t, "README.md"), outline(t, "README.zh-CN.md")); diff != "" {
		t.Errorf("README.zh-CN.md differs from README.md (-English +Chinese): change both\n%s", diff)
	}
	zh, err := os.ReadFile(filepath.Join("..", "..", "README.zh-CN.md"))
	if err != nil {
		t.Fatal(err)
	}
	for paragraph := range strings.SplitSeq(string(zh), "\n\n") {
		if long := len(paragraph) > 60; long && !strings.Contains(paragraph, "```") && !strings.ContainsFunc(paragraph, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("not in Chinese: %s", paragraph)
		}
	}
}
