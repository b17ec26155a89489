package said

import (
	"regexp"
	"strings"
)

// Start is why a runtime could not start a container.
type Start int

const (
	StartUnknown Start = iota
	// StartMissing: the command is not in the image.
	StartMissing
	// StartForbidden: the command is there, and may not be run.
	StartForbidden
	// StartFormat: the command is for another processor, or a script without #!.
	StartFormat
	// StartRoot: the container must not run as root, and would, or may.
	StartRoot
	// StartFolder: its working directory is not there or none.
	StartFolder
)

var execForm = regexp.MustCompile(`exec:? "?([^":]+)"?: `)

// ReadStart reads what a kubelet and its runtime say of a container that does not start,
// and which command they mean, where they say it.
func ReadStart(words string) (why Start, command string) {
	if m := execForm.FindStringSubmatch(words); m != nil {
		command = Line(m[1])
	}
	switch {
	case has(words, "runasnonroot", "breaks non-root policy"):
		return StartRoot, ""
	case has(words, "exec format error"):
		return StartFormat, command
	case has(words, "chdir to cwd", "mkdir cwd", "working directory"):
		folder, _ := between(words, `chdir to cwd ("`, `"`)
		return StartFolder, Line(folder)
	case command == "":
		return StartUnknown, ""
	case has(words, "permission denied"):
		return StartForbidden, command
	case has(words, "no such file or directory", "executable file not found"):
		return StartMissing, command
	}
	return StartUnknown, command
}

// ExecFormat returns the command of a container's own last words that its processor
// does not understand: "exec /home/services/start.sh: exec format error".
func ExecFormat(line string) (command string, ok bool) {
	before, ok := strings.CutSuffix(strings.TrimSpace(line), ": exec format error")
	if !ok {
		return "", false
	}
	return Line(strings.Trim(before[strings.LastIndexByte(before, ' ')+1:], `"':`)), true
}
