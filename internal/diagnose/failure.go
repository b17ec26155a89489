package diagnose

import (
	"strconv"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// Codes of causes. They are stable: translations and policies go by them.
const (
	StepFailed     = "step.failed"
	StepTimeout    = "step.timeout"
	StepKilled     = "step.killed"
	StepStopped    = "step.stopped"
	ToolMissing    = "tool.missing"
	ToolVersion    = "tool.version"
	TestsFailed    = "tests.failed"
	CheckoutFailed = "checkout.failed"
	ImageFailed    = "image.failed"
	PublishFailed  = "publish.failed"
	FileMissing    = "file.missing"
	// ManifestsFailed is of the App's own manifests.
	ManifestsFailed = "manifests.failed"
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
	c.Step = f.Step
	if f.exited() {
		exit := f.Exit
		c.Exit = &exit
	}
	if c.Evidence == nil && f.Output != nil {
		c.Evidence = f.Output.Errors()
	}
	return c
}

func (f Failure) exited() bool { return f.Exit >= 0 && f.Limit == 0 }

// because words a code with what every failure of a step has.
func (f Failure) because(code string, args delivery.Args) delivery.Cause {
	args["step"] = f.Step
	if f.exited() {
		args["exit"] = strconv.Itoa(f.Exit)
	}
	return delivery.Because(code, args)
}

func (f Failure) cause() delivery.Cause {
	signal := f.signal()
	switch {
	case f.Limit > 0:
		return f.timeout()
	case signal != "":
		return f.killed(signal)
	case f.Exit == 127 && f.Output != nil && f.Output.missing != "":
		return f.missing(f.Output.missing)
	case f.Tests != nil && f.Tests.Failed > 0:
		return f.tests()
	}
	return f.failed()
}

func (f Failure) timeout() delivery.Cause {
	return f.because(StepTimeout, delivery.Args{"limit": f.Limit.String(), "job": strconv.FormatBool(f.WholeJob)})
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
	return f.because(StepKilled, delivery.Args{"signal": signal})
}

func (f Failure) missing(tool string) delivery.Cause {
	return f.because(ToolMissing, delivery.Args{"tool": tool, phrase.AdviceArg: "tool." + tool})
}

func (f Failure) tests() delivery.Cause {
	args := delivery.Args{"failed": strconv.Itoa(f.Tests.Failed)}
	var evidence []string
	for i, x := range f.Tests.Failures[:min(len(f.Tests.Failures), MaxEvidence)] {
		line := x.Name
		if x.Message != "" {
			line += ": " + x.Message
		}
		evidence = append(evidence, Line(line))
		if i == 0 {
			args["test"], args["error"] = Line(x.Name), Line(x.Message)
			advise(args, x.Message, building)
		}
	}
	c := f.because(TestsFailed, args)
	c.Evidence = evidence
	return c
}

func (f Failure) failed() delivery.Cause {
	args := delivery.Args{}
	if f.Output != nil {
		switch about := f.Output.about(); about {
		case compile, vet, lint, tests, npm, composer, pnpm:
			args["topic"] = string(about)
		}
		args["error"] = f.Output.Main()
		advise(args, args["error"], building)
	}
	if f.Exit == 126 {
		args[phrase.AdviceArg] = "file.executable"
	}
	return f.because(StepFailed, args)
}
