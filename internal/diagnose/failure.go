package diagnose

import (
	"fmt"
	"strconv"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Codes of causes. They are stable: translations and policies go by them.
const (
	StepFailed     = "step.failed"
	StepTimeout    = "step.timeout"
	StepKilled     = "step.killed"
	ToolMissing    = "tool.missing"
	ToolVersion    = "tool.version"
	TestsFailed    = "tests.failed"
	CheckoutFailed = "checkout.failed"
	ImageFailed    = "image.failed"
	// RunnerFailed is ours: the runner could not go on.
	RunnerFailed = "runner.failed"
)

// Failure is what is known of a step's unsuccessful end.
type Failure struct {
	Step string
	// Exit is the shell's exit code; -1 when a signal ended it.
	Exit int
	// Signal, like "SIGKILL", ended the shell; empty when it exited.
	Signal string
	// Limit is the time limit that ended the step; 0 when none did.
	Limit time.Duration
	// WholeJob says that Limit was the job's and not the step's.
	WholeJob bool
	Tests    *delivery.Tests
	Output   *Sample
}

// Cause words the failure.
func (f Failure) Cause() delivery.Cause {
	c := f.cause()
	c.Step, c.Text = f.Step, Line(c.Text)
	if c.Args == nil {
		c.Args = map[string]string{}
	}
	c.Args["step"] = f.Step
	if f.Exit >= 0 && f.Limit == 0 {
		exit := f.Exit
		c.Exit, c.Args["exit"] = &exit, strconv.Itoa(exit)
	}
	if c.Evidence == nil && f.Output != nil {
		c.Evidence = f.Output.Errors()
	}
	return c
}

func (f Failure) cause() delivery.Cause {
	signal := f.signal()
	switch {
	case f.Limit > 0:
		return f.timeout()
	case signal != "":
		return f.killed(signal)
	case f.Exit == 127 && f.Output != nil && f.Output.missing != "":
		return missing(f.Output.missing)
	case f.Tests != nil && f.Tests.Failed > 0:
		return f.tests()
	}
	return f.failed()
}

func (f Failure) timeout() delivery.Cause {
	whose, next := "its", "Find out what it waited for, or raise the step's timeout."
	if f.WholeJob {
		whose, next = "the job's", "Find out which step takes so long, or raise the plan's timeout."
	}
	return delivery.Cause{
		Code: StepTimeout,
		Text: fmt.Sprintf("step %s was stopped at %s time limit of %s", f.Step, whose, f.Limit),
		Args: map[string]string{"limit": f.Limit.String(), "job": strconv.FormatBool(f.WholeJob)},
		Next: next,
	}
}

// shellSignals are the signals that a shell reports of its child as 128+n, by
// Linux's numbers; others are as likely a program's own exit code.
var shellSignals = map[int]string{4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM"}

func (f Failure) signal() string {
	if f.Signal != "" {
		return f.Signal
	}
	return shellSignals[f.Exit-128]
}

func (f Failure) killed(signal string) delivery.Cause {
	c := delivery.Cause{
		Code: StepKilled,
		Text: fmt.Sprintf("step %s was killed by %s", f.Step, signal),
		Args: map[string]string{"signal": signal},
	}
	if signal == "SIGKILL" {
		c.Text += ", most likely for lack of memory"
		c.Next = "Give the build more memory, or let it do less at once."
	}
	return c
}

func missing(tool string) delivery.Cause {
	return delivery.Cause{
		Code: ToolMissing, Text: tool + " is not installed where the build runs (exit 127)",
		Args: map[string]string{"tool": tool}, Next: installing(tool),
	}
}

func (f Failure) tests() delivery.Cause {
	c := delivery.Cause{Code: TestsFailed, Args: map[string]string{"failed": strconv.Itoa(f.Tests.Failed)}}
	what := "1 test failed"
	if f.Tests.Failed != 1 {
		what = fmt.Sprintf("%d tests failed", f.Tests.Failed)
	}
	for _, x := range f.Tests.Failures[:min(len(f.Tests.Failures), MaxEvidence)] {
		line := x.Name
		if x.Message != "" {
			line += ": " + x.Message
		}
		c.Evidence = append(c.Evidence, Line(line))
	}
	c.Text = what
	if len(c.Evidence) > 0 {
		c.Text += ": " + c.Evidence[0]
		c.Args["test"], c.Args["error"] = f.Tests.Failures[0].Name, f.Tests.Failures[0].Message
		c.Next = advice(f.Tests.Failures[0].Message, building)
	}
	return c
}

func (f Failure) failed() delivery.Cause {
	what, first := "step "+f.Step, ""
	if f.Output != nil {
		switch about := f.Output.about(); about {
		case compile, vet, lint, tests, npm:
			what = string(about)
		}
		first = f.Output.Main()
	}
	c := delivery.Cause{Code: StepFailed, Text: fmt.Sprintf("%s failed (exit %d)", what, f.Exit)}
	if first != "" {
		c.Text += ": " + first
		c.Args = map[string]string{"error": first}
		c.Next = advice(first, building)
	}
	if f.Exit == 126 {
		c.Next = "Make the file executable: git update-index --chmod=+x FILE"
	}
	return c
}
