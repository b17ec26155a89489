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
	// StartInterpreter: what a script names in its first line, or a program's loader, is
	// not there.
	StartInterpreter
	// StartRoot: the container must not run as root, and would, or may.
	StartRoot
	// StartFolder: its working directory is not there or none.
	StartFolder
)

var execForm = regexp.MustCompile(`exec:? "?([^":]+)"?: `)

// ReadStart reads what a kubelet and its runtime say of a container that does not start,
// and which command they mean, where they say it.
func ReadStart(words string) (why Start, command string) {
	words = strings.ReplaceAll(words, `\"`, `"`)
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

// last is what a runtime writes into a container's log when the kernel does not take its
// command: "exec ./start.sh: no such file or directory", and before 2022
// `standard_init_linux.go:211: exec user process caused "exec format error"`.
var lastForm = regexp.MustCompile(`^(?:standard_init_linux\.go:\d+: exec user process caused:?|exec (\S+):) "?(no such file or directory|exec format error|permission denied)"?$`)

// ReadLast reads a line of a container's log for why its command was not run.
func ReadLast(line string) (why Start, command string) {
	m := lastForm.FindStringSubmatch(strings.TrimSpace(line))
	if m == nil {
		return StartUnknown, ""
	}
	why = map[string]Start{"no such file or directory": StartInterpreter, "exec format error": StartFormat, "permission denied": StartForbidden}[m[2]]
	return why, Line(m[1])
}
