package diagnose

import "strings"

// Root is a folder with the app's own code.
type Root struct {
	// Dir is absolute, without a slash at its end.
	Dir string
	// Skip is how many folders below Dir come before the code.
	Skip int
}

// Roots are tried in order: the innermost comes first.
type Roots []Root

// Trim makes paths below the roots relative to them.
func (r Roots) Trim(line string) string {
	for _, root := range r {
		if root.Dir != "" && strings.Contains(line, root.Dir) {
			line = root.trim(line)
		}
	}
	return line
}

func (r Root) trim(line string) string {
	var b strings.Builder
	for {
		i := strings.Index(line, r.Dir)
		if i < 0 {
			b.WriteString(line)
			return b.String()
		}
		before, at := line[:i], line[i:]
		n, whole := r.span(at)
		switch {
		case n == 0 || before != "" && inPath(before[len(before)-1]) && !strings.HasSuffix(before, "file://"):
			b.WriteString(before + r.Dir)
			line = at[len(r.Dir):]
			continue
		case whole:
			b.WriteString(before + ".")
		default:
			b.WriteString(strings.TrimSuffix(before, "file://"))
		}
		line = at[n:]
	}
}

// span returns how much of s, which begins with Dir, leads to the code; whole: s
// names the folder itself. It is 0 when s names another folder.
func (r Root) span(s string) (n int, whole bool) {
	n = len(r.Dir)
	for range r.Skip {
		if n == len(s) || s[n] != '/' {
			return 0, false
		}
		for n++; n < len(s) && s[n] != '/' && inPath(s[n]); n++ {
		}
	}
	switch {
	case n < len(s) && s[n] == '/':
		return n + 1, false
	case n == len(s) || !inPath(s[n]):
		return n, true
	}
	return 0, false
}

func inPath(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("/._-@+~", c) >= 0
}

// own returns a path relative to a root; false: it is not the app's own code.
func (r Roots) own(path string) (string, bool) {
	path = strings.TrimPrefix(path, "file://")
	if !strings.HasPrefix(path, "/") {
		return path, foreign(path) == ""
	}
	rel := r.Trim(path)
	return rel, rel != path && foreign(rel) == ""
}

// foreign returns what tells that a path is somebody else's code.
func foreign(path string) string {
	for _, part := range []string{"node_modules/", "site-packages/", "vendor/", "_testmain.go", "node:", "<"} {
		if strings.Contains(path, part) {
			return part
		}
	}
	return ""
}
