package runner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/runner"
)

func TestStepsInOrder(t *testing.T) {
	t.Parallel()
	s := serve(t, script("one", "echo hello; echo oops >&2"), script("two", "head -c 40000000 /dev/zero | tail -c 40000000 | wc -c; sleep 0.3"))
	if code := launch(t, s).exit(t); code != runner.ExitReported {
		t.Fatalf("exit code %d", code)
	}
	finish, steps := s.end()
	if finish.Outcome != api.OutcomeSucceeded || finish.Cause != nil {
		t.Errorf("%+v", finish)
	}
	var order []string
	for _, r := range s.reports {
		if r.Step != nil {
			order = append(order, r.Step.Name+" "+string(r.Step.State))
		}
	}
	if want := []string{"one running", "one succeeded", "two running", "two succeeded"}; !slices.Equal(order, want) {
		t.Errorf("%q", order)
	}
	if got := s.text("out"); !slices.Equal(got, []string{"hello", "40000000"}) {
		t.Errorf("out %q", got)
	}
	if got := s.text("err"); !slices.Equal(got, []string{"oops"}) {
		t.Errorf("err %q", got)
	}
	two := steps["two"]
	// tail holds the 40 MB.
	if two.Usage.PeakMemory < 38<<20 || two.Usage.PeakMemory > 300<<20 || two.Usage.CPU <= 0 {
		t.Errorf("usage %+v", two.Usage)
	}
	if d := two.FinishedAt.Sub(two.StartedAt); d < 300*time.Millisecond || d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestStepEnvironment(t *testing.T) {
	t.Parallel()
	step := script("env", "env; pwd; ls -l /proc/self/fd")
	step.Env = map[string]string{"FROM_STEP": "s", "BOTH": "step", "SHIPLOCK_APP": "spoofed"}
	s := serve(t, step)
	s.assignment.Variables = map[string]string{"FROM_APP": "a", "BOTH": "app"}
	r := launch(t, s)
	if code := r.exit(t); code != 0 {
		t.Fatal(code)
	}
	out := s.text("out")
	for _, want := range []string{
		"FROM_STEP=s", "FROM_APP=a", "BOTH=step", "CI=true", "SHIPLOCK=true", "SHIPLOCK_APP=shop", "SHIPLOCK_ENV=dev", "SHIPLOCK_RUN=shop#7",
		"SHIPLOCK_BRANCH=dev", runner.EnvWorkspace + "=" + r.workspace, "HOME=" + r.workspace + "/home", "TMPDIR=" + r.workspace + "/tmp", r.workspace + "/src",
		"PATH=" + r.workspace + "/home/.local/bin:" + os.Getenv("PATH"),
	} {
		if !slices.Contains(out, want) {
			t.Errorf("no line %q", want)
		}
	}
	all := strings.Join(out, "\n")
	for _, secret := range []string{claimCode, s.token, runner.EnvServer, "SECRET_OF_EXECUTOR", "GOCACHE", "password", "log-"} {
		if strings.Contains(all, secret) {
			t.Errorf("a step can see %s", secret)
		}
	}
}

func TestRunnerIsClosedToItsSteps(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may look into every process")
	}
	t.Parallel()
	s := serve(t, script("peek", "if cat /proc/$PPID/environ || ls /proc/$PPID/fd; then exit 9; fi"))
	launch(t, s).exit(t)
	if f, _ := s.end(); f.Outcome != api.OutcomeSucceeded {
		t.Errorf("%+v", f.Cause)
	}
}

func TestFailingStep(t *testing.T) {
	t.Parallel()
	s := serve(t, script("build", "echo '# x'; echo './main.go:12:2: undefined: foo'; exit 2"), script("after", "echo never"))
	if code := launch(t, s).exit(t); code != 0 {
		t.Fatal(code)
	}
	finish, steps := s.end()
	c := finish.Cause
	if finish.Outcome != api.OutcomeFailed || c == nil || c.Text != "compile failed (exit 2): ./main.go:12:2: undefined: foo" || *c.Exit != 2 || c.Step != "build" {
		t.Errorf("%+v", c)
	}
	if _, began := steps["after"]; began || steps["build"].State != delivery.StepFailed || steps["build"].Cause == nil {
		t.Errorf("%+v", steps)
	}
}

func TestStopsAtFirstFailingCommand(t *testing.T) {
	t.Parallel()
	s := serve(t, script("build", "false\necho went on"))
	launch(t, s).exit(t)
	if f, _ := s.end(); f.Outcome != api.OutcomeFailed || len(s.text("out")) != 0 {
		t.Errorf("%+v %q", f, s.text("out"))
	}
}

// leaveBehind starts a child in the group, one that left the session and whose
// parent is dead, and one that ignores TERM, and writes all ids to pids.
const leaveBehind = `
sleep 300 & echo $! >>pids
(setsid sh -c 'sleep 300 & echo $! >>pids; echo $$ >>pids; wait' &)
sh -c 'trap "" TERM; echo $$ >>pids; while :; do sleep 300; done' &
while [ "$(wc -l <pids)" -lt 4 ]; do sleep 0.01; done
`

func expectGone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		until(t, fmt.Sprintf("the end of process %d", pid), func() bool { return gone(pid) })
	}
}

func TestNothingOutlivesItsStep(t *testing.T) {
	t.Parallel()
	s := serve(t, script("leave", leaveBehind), script("check", "for p in $(cat pids); do if kill -0 $p 2>/dev/null; then echo alive $p; fi; done"))
	r := launch(t, s)
	if code := r.exit(t); code != 0 {
		t.Fatal(code)
	}
	if out := s.text("out"); len(out) != 0 {
		t.Errorf("%q", out)
	}
	expectGone(t, r.pids(t, "pids", 4))
}

func TestTimeLimitEndsTheGroup(t *testing.T) {
	t.Parallel()
	step := script("slow", leaveBehind+"echo waiting; sleep 300")
	step.Timeout = delivery.Duration(700 * time.Millisecond)
	s := serve(t, step)
	r := launch(t, s, envGrace+"=100ms")
	if code := r.exit(t); code != 0 {
		t.Fatal(code)
	}
	finish, steps := s.end()
	if c := finish.Cause; finish.Outcome != api.OutcomeFailed || c.Code != "step.timeout" || c.Text != "step slow was stopped at its time limit of 700ms" {
		t.Errorf("%+v", finish)
	}
	if steps["slow"].State != delivery.StepFailed {
		t.Errorf("%+v", steps)
	}
	expectGone(t, r.pids(t, "pids", 4))
}

func TestTimeLimitOfTheJob(t *testing.T) {
	t.Parallel()
	s := serve(t, script("slow", "sleep 300"))
	s.assignment.Plan.Timeout = delivery.Duration(100 * time.Millisecond)
	launch(t, s).exit(t)
	if f, _ := s.end(); f.Cause.Code != "step.timeout" || f.Cause.Args["job"] != "true" {
		t.Errorf("%+v", f.Cause)
	}
}

func TestFencedAttemptEndsItself(t *testing.T) {
	t.Parallel()
	s := serve(t, script("work", leaveBehind+"sleep 300"))
	r := launch(t, s)
	pids := r.pids(t, "pids", 4)
	s.mu.Lock()
	s.fenced = true
	s.mu.Unlock()
	if code := r.exit(t); code != runner.ExitGone {
		t.Errorf("exit code %d", code)
	}
	expectGone(t, pids)
	if slices.ContainsFunc(s.reports, func(r api.Report) bool { return r.Finish != nil }) {
		t.Error("a fenced attempt reports an end")
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	s := serve(t, script("work", "trap 'echo cleaning up; exit 0' TERM; echo $$ >pids; while :; do sleep 0.01; done"), script("after", "echo never"))
	r := launch(t, s)
	r.pids(t, "pids", 1)
	s.mu.Lock()
	s.cancel = true
	s.mu.Unlock()
	if code := r.exit(t); code != 0 {
		t.Fatal(code)
	}
	finish, steps := s.end()
	if finish.Outcome != api.OutcomeCanceled || steps["work"].State != delivery.StepCanceled || len(steps) != 1 {
		t.Errorf("%+v %+v", finish, steps)
	}
	if !slices.Equal(s.text("out"), []string{"cleaning up"}) {
		t.Errorf("%q", s.text("out"))
	}
}

// The shell ends at TERM; what it called gets its time.
func TestTerminateAllowsGrace(t *testing.T) {
	t.Parallel()
	s := serve(t, script("work", "sh -c 'trap \"sleep 0.2; echo done >tidy; exit\" TERM; echo $$ >>pids; while :; do sleep 0.01; done'"))
	r := launch(t, s)
	r.pids(t, "pids", 1)
	if err := r.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := r.exit(t); code != 0 {
		t.Fatal(code)
	}
	if f, _ := s.end(); f.Outcome != api.OutcomeCanceled {
		t.Errorf("%+v", f)
	}
	if _, err := os.Stat(filepath.Join(r.workspace, "src", "tidy")); err != nil {
		t.Error(err)
	}
}

func TestKilledRunnerTakesItsShellAlong(t *testing.T) {
	t.Parallel()
	s := serve(t, script("work", "echo $$ >pids; while :; do sleep 1; done"))
	r := launch(t, s)
	pids := r.pids(t, "pids", 1)
	if err := r.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	expectGone(t, pids)
}

func TestTestResults(t *testing.T) {
	t.Parallel()
	step := script("test", `cat <<'END'
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:4: hunter2hunter2 is wrong\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
END
exit 1`)
	step.Tests = "go-test-json"
	s := serve(t, step)
	s.assignment.Masks = []string{"hunter2hunter2"}
	launch(t, s).exit(t)
	finish, steps := s.end()
	if c := finish.Cause; c.Code != "tests.failed" || c.Text != "1 test failed: TestA: a_test.go:4: *** is wrong" {
		t.Errorf("%+v", c)
	}
	if tests := steps["test"].Tests; tests == nil || tests.Failed != 1 || tests.Failures[0].Message != "a_test.go:4: *** is wrong" {
		t.Errorf("%+v", tests)
	}
	if !slices.Equal(s.text("out"), []string{"    a_test.go:4: *** is wrong"}) {
		t.Errorf("%q", s.text("out"))
	}
}

func TestCheckoutAndImage(t *testing.T) {
	t.Parallel()
	repo := t.TempDir()
	if err := os.MkdirAll(filepath.Join(repo, "shop", "start_env"), 0o755); err != nil {
		t.Fatal(err)
	}
	image := &delivery.ImagePlan{Source: "start_env", Start: "exec ./shop\n", Dockerfile: "FROM base\nWORKDIR /home/services\n"}
	steps := []delivery.PlanStep{{Name: "checkout", Kind: delivery.StepCheckout}, script("build", "pwd"), {Name: "image", Kind: delivery.StepImage}}
	for name, c := range map[string]struct {
		url, path, build, source string
		outcome, code, text      string
	}{
		"works":          {repo, "shop", "true", "start_env", api.OutcomeSucceeded, "", ""},
		"no folder":      {repo, "cart", "true", "start_env", api.OutcomeFailed, "checkout.failed", `no folder "cart"`},
		"climbs out":     {repo, "../..", "true", "start_env", api.OutcomeFailed, "checkout.failed", "no folder"},
		"denied":         {"denied", "", "true", "start_env", api.OutcomeFailed, "checkout.failed", "refused the credential"},
		"git is down":    {"down", "", "true", "start_env", api.OutcomeLost, "checkout.failed", "did not answer"},
		"panic":          {"panic", "", "true", "start_env", api.OutcomeLost, "runner.failed", "checkout is broken"},
		"no output":      {repo, "shop", "rmdir start_env", "start_env", api.OutcomeFailed, "image.failed", "made no folder start_env"},
		"link out":       {repo, "shop", "rmdir start_env; ln -s /etc start_env", "start_env", api.OutcomeFailed, "image.failed", "symbolic link"},
		"start links":    {repo, "shop", "ln -s /etc/passwd start_env/start.sh", "start_env", api.OutcomeFailed, "image.failed", "symbolic link"},
		"output a file":  {repo, "shop", "rmdir start_env; touch start_env", "start_env", api.OutcomeFailed, "image.failed", "not a folder"},
		"source climbs":  {repo, "shop", "true", "../../..", api.OutcomeFailed, "image.failed", "leads out"},
		"relative paths": {repo, "shop", `echo "$PWD/app.js:3" >&2; echo "Error: no" >&2; exit 1`, "start_env", api.OutcomeFailed, "step.failed", "(exit 1): app.js:3: Error: no"},
		"unknown errors": {"/nonexistent", "", "true", "start_env", api.OutcomeLost, "checkout.failed", "checkout failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, slices.Clone(steps)...)
			plan := *image
			plan.Source = c.source
			s.assignment.Plan.Image, s.assignment.Plan.Path, s.assignment.Clone.URL = &plan, c.path, c.url
			s.assignment.Plan.Steps[1].Run = c.build
			launch(t, s).exit(t)
			finish, _ := s.end()
			if finish.Outcome != c.outcome {
				t.Fatalf("%+v", finish)
			}
			if c.code != "" {
				if finish.Cause == nil || finish.Cause.Code != c.code || !strings.Contains(finish.Cause.Text, c.text) {
					t.Errorf("%+v", finish.Cause)
				}
				return
			}
			if finish.Artifact == nil || finish.Artifact.Digest != "sha256:abc" || finish.Artifact.Repository != "apps/shop" {
				t.Errorf("%+v", finish.Artifact)
			}
			sys := s.text("sys")
			for _, want := range []string{"-rwxr-xr-x #!/bin/sh", "exec ./shop", "FROM base", "WORKDIR /home/services"} {
				if !slices.Contains(sys, want) {
					t.Errorf("no line %q in %q", want, sys)
				}
			}
		})
	}
}
