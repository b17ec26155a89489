package diagnose

import (
	"fmt"

	"github.com/shiplock/shiplock/internal/delivery"
)

// MissingTool says that the build's machine lacks a tool that a Stack asks for.
func MissingTool(t delivery.Tool, stack string) delivery.Cause {
	c := delivery.Cause{
		Code: ToolMissing, Text: fmt.Sprintf("stack %s needs %s, which is not installed where the build runs", stack, called(t)),
		Args: map[string]string{"tool": t.Name, "stack": stack}, Next: installing(t.Name),
	}
	if t.Versioned() {
		c.Args["wanted"] = t.Wanted()
	}
	return c
}

// WrongTool says that the tool at path has a version that will not do.
func WrongTool(t delivery.Tool, found, path, stack string) delivery.Cause {
	return delivery.Cause{
		Code: ToolVersion, Text: fmt.Sprintf("stack %s needs %s, and where the build runs it is %s", stack, called(t), found),
		Args:     map[string]string{"tool": t.Name, "stack": stack, "wanted": t.Wanted(), "found": found},
		Next:     "Install " + t.Name + " " + t.Wanted() + " there and put it first on the PATH, or choose a stack that fits.",
		Evidence: []string{path + " is " + t.Name + " " + found},
	}
}

func called(t delivery.Tool) string {
	if t.Versioned() {
		return t.Name + " " + t.Wanted()
	}
	return t.Name
}

func installing(tool string) string {
	if next, ok := toolHints[tool]; ok {
		return next
	}
	return "Install " + tool + " where builds run, or add it to the project's own dependencies."
}
