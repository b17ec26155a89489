package runner

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
)

// toolTime bounds a tool's answer to the question for its version.
const toolTime = 20 * time.Second

// toolbox is what is known of the tools that the Plan asks for.
type toolbox struct {
	once  sync.Once
	cause *delivery.Cause // what keeps every step from working
}

// unfit returns why the steps cannot work with the tools that are here, or nil. They
// are looked at once in a job, before its first script.
func (j *job) unfit(ctx context.Context, step string, env []string) *delivery.Cause {
	j.tools.once.Do(func() {
		j.tools.cause = Lacking(ctx, j.Plan.Stack, j.Plan.Tools, env, func(text string) { j.say(step, text) })
	})
	if j.tools.cause == nil {
		return nil
	}
	c := *j.tools.cause
	c.Step = step
	return &c
}

// Lacking returns what programs with the environment env lack of a stack's tools, or
// nil. It says what it finds.
func Lacking(ctx context.Context, stack string, tools []delivery.Tool, env []string, say func(text string)) *delivery.Cause {
	for _, t := range tools {
		path := lookUp(t.Name, env)
		if path == "" {
			c := diagnose.MissingTool(t, stack)
			return &c
		}
		if !t.Versioned() {
			continue
		}
		found := t.Version(ask(ctx, path, t.Asking(), env))
		switch {
		case ctx.Err() != nil:
			return nil // whoever ended it says why
		case found == "":
			say("warning: " + path + " does not tell its version; " + t.Name + " " + t.Wanted() + " is wanted")
		case !t.Fits(found):
			c := diagnose.WrongTool(t, found, path, stack)
			return &c
		default:
			say("using " + t.Name + " " + found)
		}
	}
	return nil
}

// ask returns what a program says of itself. Outside of the App's folder, where some
// would answer for the version that the project asks for.
func ask(ctx context.Context, path string, args, env []string) string {
	ctx, cancel := context.WithTimeout(ctx, toolTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = "/", env, time.Second
	out, _ := cmd.CombinedOutput() // what it says counts, whatever its exit code
	return diagnose.Line(string(out[:min(len(out), 4<<10)]))
}

// lookUp finds a program on the PATH of env; "" when it is not there.
func lookUp(name string, env []string) string {
	for _, entry := range env {
		dirs, ok := strings.CutPrefix(entry, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(dirs) {
			if !filepath.IsAbs(dir) {
				continue // it would be of the repository
			}
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path
			}
		}
	}
	return ""
}
