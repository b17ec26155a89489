package standard

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Wish is what a repository's own files ask of its Stack.
type Wish struct {
	Language string
	// Static is a site: it is built, and nothing of its own answers requests.
	Static bool
	// Fits tells whether a version will do. Nil: any.
	Fits func(v version) bool
	// Oldest prefers the oldest version that fits; else it is the newest.
	Oldest bool
	// Why is the file and what it says, e.g. "go.mod: go 1.25".
	Why string
	// Wider is what the repository says that it works with, where the version that it
	// prefers cannot be had; nil says nothing.
	Wider *Wish
}

// language is how one language's files are read.
type language struct {
	name string
	// marks are files that show that a folder is of the language.
	marks []string
	// more are further files that tell its version.
	more []string
	// read tells what the files say; they are at least one of marks.
	read func(files map[string]string) Wish
}

func languages() []language {
	return []language{
		{"go", []string{"go.mod"}, nil, readGo},
		{"java", []string{"pom.xml", "build.gradle", "build.gradle.kts"}, []string{".java-version"}, readJava},
		{"php", []string{"composer.json"}, nil, readPHP},
		{"nodejs", []string{"package.json"}, []string{".nvmrc", ".node-version"}, readNode},
	}
}

// filesOf are the files that tell what a repository asks of a Stack of the language;
// "" is any language.
func filesOf(name string) []string {
	var files []string
	for _, l := range languages() {
		if name == "" || name == l.name {
			files = append(append(files, l.marks...), l.more...)
		}
	}
	return files
}

// DetectFiles are all files from which Detect reads.
func DetectFiles() []string { return filesOf("") }

// Detect tells what the files of a commit ask for; name limits it to one language, ""
// does not. Without a known file of it the wish has no Why.
func Detect(files []delivery.SourceFile, name string) (Wish, error) {
	byName := map[string]string{}
	depth := map[string]int{}
	for _, f := range files {
		if f.Problem == "" {
			byName[path.Base(f.Path)] = f.Text
			depth[path.Base(f.Path)] = strings.Count(path.Dir(f.Path)+"/", "/") - map[bool]int{true: 1}[path.Dir(f.Path) == "."]
		}
	}
	var found []language
	deepest := -1
	for _, l := range languages() {
		mark := slices.IndexFunc(l.marks, func(m string) bool { _, ok := byName[m]; return ok })
		if mark < 0 || name != "" && l.name != name {
			continue
		}
		at := depth[l.marks[mark]]
		if l.name == "nodejs" && len(found) > 0 && at <= deepest {
			continue // what a browser gets, beside what answers it
		}
		if at > deepest {
			found, deepest = nil, at
		}
		found = append(found, l)
	}
	switch len(found) {
	case 0:
		return Wish{Language: name}, nil
	case 1:
		w := found[0].read(byName)
		w.Language = found[0].name
		if w.Wider != nil {
			w.Wider.Language, w.Wider.Static = w.Language, w.Static
		}
		return w, nil
	}
	return Wish{}, delivery.E(delivery.Invalid, fmt.Sprintf("the folder is of %s and of %s: write stack: %s or stack: %s into the App",
		found[0].name, found[1].name, found[0].name, found[1].name))
}

// versionOf reads the version of a Stack out of its name: "nodejs-20-static" is 20.
func versionOf(s delivery.Stack) (v version, static, ok bool) {
	rest, ok := strings.CutPrefix(s.Name, s.Language+"-")
	if !ok {
		return v, false, false
	}
	rest, static = strings.CutSuffix(rest, "-static")
	v, ok = parseVersion(rest)
	return v, static, ok
}

// StackFor chooses the Stack that a wish asks for, and says why.
func StackFor(w Wish, stacks map[string]delivery.Stack) (s delivery.Stack, why string, err error) {
	if w.Language == "" {
		return s, "", delivery.E(delivery.Invalid, "no file shows what the folder is made with ("+strings.Join(DetectFiles(), ", ")+"): write stack into the App")
	}
	var best version
	var names []string
	for _, name := range slices.Sorted(maps.Keys(stacks)) {
		candidate := stacks[name]
		v, static, ok := versionOf(candidate)
		if candidate.Language != w.Language || !ok || static != w.Static {
			continue
		}
		names = append(names, name)
		if w.Fits != nil && !w.Fits(v) {
			continue
		}
		if newer := best.compare(v) < 0; s.Name == "" || newer != w.Oldest {
			s, best = candidate, v
		}
	}
	if s.Name == "" && w.Wider != nil {
		return StackFor(*w.Wider, stacks)
	}
	why = cmp.Or(w.Why, "language "+w.Language)
	if w.Static {
		why += ", and starts no server"
	}
	if s.Name == "" {
		return s, "", delivery.E(delivery.Invalid, fmt.Sprintf("no Stack fits %s (there are %s): add one to the catalog, or ask for another version", why, cmp.Or(strings.Join(names, ", "), "none of "+w.Language)))
	}
	return s, why, nil
}

// Contradiction says how the wish contradicts a Stack that an App names; "" when it
// does not.
func (w Wish) Contradiction(s delivery.Stack) string {
	if w.Wider != nil {
		return w.Wider.Contradiction(s)
	}
	v, _, ok := versionOf(s)
	if !ok || w.Fits == nil || w.Language != s.Language || w.Fits(v) {
		return ""
	}
	return fmt.Sprintf("%s, and the app's stack is %s: choose a stack that fits, or change what the repository asks for", w.Why, s.Name)
}
