package diagnose

import (
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// MissingTool says that the build's machine lacks a tool that a Stack asks for.
func MissingTool(t delivery.Tool, stack string) delivery.Cause {
	args := delivery.Args{"tool": t.Name, "stack": stack, phrase.AdviceArg: "tool." + t.Name}
	if t.Versioned() {
		args["wanted"] = t.Wanted()
	}
	return delivery.Because(ToolMissing, args)
}

// WrongTool says that the tool at path has a version that will not do.
func WrongTool(t delivery.Tool, found, path, stack string) delivery.Cause {
	c := delivery.Because(ToolVersion, delivery.Args{"tool": t.Name, "stack": stack, "wanted": t.Wanted(), "found": found})
	c.Evidence = []string{path + " is " + t.Name + " " + found}
	return c
}
