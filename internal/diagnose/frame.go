package diagnose

import "strings"

// frame is a line of a stack trace.
type frame struct {
	place string // file:line in the app's own code, or empty
	// leads: the error follows the frame, instead of the other way round.
	leads bool
}

// Place returns the place, as file:line, that a line of a stack trace names; false
// when it names none in the app's own code.
func (r Roots) Place(line string) (string, bool) {
	f, _ := r.frame(line)
	return f.place, f.place != ""
}

// frame reads lines of the stack traces of Go, Node.js, Python and Java.
func (r Roots) frame(line string) (frame, bool) {
	if line == "" {
		return frame{}, false
	}
	if line[0] != ' ' && line[0] != '\t' {
		return r.header(line)
	}
	text := strings.TrimLeft(line, " \t")
	switch {
	case strings.HasPrefix(text, "at "):
		return r.call(text[len("at "):]), true
	case strings.HasPrefix(text, `File "`):
		return r.python(text[len(`File "`):]), true
	case strings.Contains(text, ".go:"):
		return r.golang(text)
	}
	return frame{}, false
}

// header reads "/src/app.js:15", which Node.js prints above a line of code and the
// error in it.
func (r Roots) header(line string) (frame, bool) {
	file, number, ok := cutNumber(line)
	if !ok || strings.ContainsAny(line, " \t") || !strings.HasPrefix(line, "/") && !strings.HasPrefix(line, "node:") && !strings.HasPrefix(line, "file://") {
		return frame{}, false
	}
	f := frame{leads: true}
	if path, own := r.own(file); own {
		f.place = path + ":" + number
	}
	return f, true
}

// call reads "f (/src/app.js:15:3)" and "/src/app.js:15:3" of Node.js, and
// "shop.Main.main(Main.java:5)".
func (r Roots) call(text string) frame {
	name, where, inside := strings.Cut(strings.TrimRight(text, " {"), "(")
	if inside {
		where, _, _ = strings.Cut(where, ")")
	} else {
		name, where = "", strings.TrimPrefix(name, "async ")
	}
	if file, number, ok := cutNumber(where); ok && strings.HasSuffix(file, ".java") {
		if library(name) {
			return frame{}
		}
		return frame{place: file + ":" + number}
	}
	where, _, _ = cutNumber(where) // the column
	file, number, ok := cutNumber(where)
	if path, own := r.own(file); ok && own && (path != file || isScript(path)) {
		return frame{place: path + ":" + number}
	}
	return frame{}
}

func library(name string) bool {
	for _, prefix := range []string{"java.", "javax.", "jdk.", "sun.", "java.base/", "org.springframework.", "org.junit."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// python reads `app.py", line 4, in settings`.
func (r Roots) python(text string) frame {
	file, rest, _ := strings.Cut(text, `"`)
	rest, ok := strings.CutPrefix(rest, ", line ")
	n := number(rest)
	if path, own := r.own(file); ok && n > 0 && own {
		return frame{place: path + ":" + rest[:n], leads: true}
	}
	return frame{}
}

// golang reads "/src/main.go:12 +0x1d", and "example.com/shop/main.go:12 +0x1d" of
// a program built with -trimpath.
func (r Roots) golang(text string) (frame, bool) {
	text, _, _ = strings.Cut(text, " ")
	file, number, ok := cutNumber(text)
	if !ok || !strings.HasSuffix(file, ".go") {
		return frame{}, false
	}
	path, own := r.own(file)
	first, _, _ := strings.Cut(path, "/")
	// A module's path begins with a host, and a dependency's has a version.
	if !own || path == file && (!strings.Contains(first, ".") || strings.Contains(path, "@")) {
		return frame{}, true
	}
	return frame{place: path + ":" + number}, true
}

// cutNumber splits "app.js:15".
func cutNumber(s string) (before, digits string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i <= 0 || i == len(s)-1 || number(s[i+1:]) != len(s)-i-1 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// number returns how many digits s begins with.
func number(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}
