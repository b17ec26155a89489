package diagnose

import "strings"

// phpErrors are what PHP begins its errors with, after "PHP " in a log.
var phpErrors = []string{"Parse error: ", "Fatal error: ", "Compile Error: "}

// phpError reads "PHP Fatal error:  Uncaught E: text in /src/a.php:3" and "Parse
// error: text in /src/a.php on line 3" as the error after its place.
func phpError(line string) (string, bool) {
	line = strings.TrimPrefix(strings.TrimSpace(line), "PHP ")
	if !startsWith(line, phpErrors) {
		return "", false
	}
	kind, text, _ := strings.Cut(line, ":")
	text = strings.TrimPrefix(strings.TrimSpace(text), "Uncaught ")
	at := strings.LastIndex(text, " in ")
	if at < 0 {
		return "", false
	}
	file, n, ok := strings.Cut(text[at+len(" in "):], " on line ")
	if !ok {
		file, n, ok = cutNumber(file)
	}
	if !ok || number(n) != len(n) || strings.ContainsAny(file, " \t") {
		return "", false
	}
	if text = text[:at]; strings.Contains(kind, "Parse") && !strings.HasPrefix(text, "syntax error") {
		text = "syntax error: " + text
	}
	return strings.TrimPrefix(file, "./") + ":" + n + ": " + text, true
}

func isPHP(line string) bool {
	_, ok := phpError(line)
	return ok
}

// composerParts are of the sentences in the box that Composer draws round an error.
var composerParts = []string{" does not contain valid JSON", " file could not be downloaded"}

// composerHeads stand above the problems.
var composerHeads = []string{"could not be resolved to an installable set of packages", "Your lock file does not contain a compatible set of packages"}

func isComposer(line string) bool { return contains(line, composerParts) }

func isComposerHead(line string) bool { return contains(line, composerHeads) }

// isComposerProblem matches "    - Root composer.json requires ext-redis * but it is
// missing from your system", below the sentence that there are problems.
func isComposerProblem(line string) bool {
	return strings.HasPrefix(line, "    - ") && strings.Contains(line, " requires ")
}

// composerUsage is what Composer ends an error with.
var composerUsage = []string{"install [--prefer-source]", "update [--with WITH]"}
