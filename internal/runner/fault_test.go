package runner_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/runner"
)

// expectLines checks that the server has "line 1" to "line n", once each.
func expectLines(t *testing.T, s *server, n int) {
	t.Helper()
	out := s.text("out")
	if len(out) != n {
		t.Fatalf("%d lines, want %d", len(out), n)
	}
	for i, text := range out {
		if text != "line "+strconv.Itoa(i+1) {
			t.Fatalf("line %d is %q", i+1, text)
		}
	}
}

func count(n int) string {
	return "seq -f 'line %.0f' " + strconv.Itoa(n)
}

func TestServerThatStumbles(t *testing.T) {
	t.Parallel()
	s := serve(t, script("count", count(5000)))
	s.fault = func(_ string, n int) int {
		switch n {
		case 1:
			return http.StatusServiceUnavailable
		case 3:
			return http.StatusInternalServerError
		}
		return 0
	}
	if code := launch(t, s).exit(t); code != 0 {
		t.Fatal(code)
	}
	expectLines(t, s, 5000)
}

func TestServerRestarts(t *testing.T) {
	t.Parallel()
	s := serve(t, script("count", count(3000)+"; touch half; while [ ! -e on ]; do sleep 0.01; done; seq -f 'line %.0f' 3001 6000"))
	r := launch(t, s)
	until(t, "half the output", func() bool {
		_, err := os.Stat(filepath.Join(r.workspace, "src", "half"))
		return err == nil
	})
	s.down()
	if err := os.WriteFile(filepath.Join(r.workspace, "src", "on"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.asked = map[string]int{}
	s.mu.Unlock()
	s.up()
	if code := r.exit(t); code != 0 {
		t.Fatal(code)
	}
	expectLines(t, s, 6000)
}

// The registry is often the server itself: a restart of it costs no attempt.
func TestRegistryRestarts(t *testing.T) {
	t.Parallel()
	s := serve(t, script("build", "mkdir start_env"), delivery.PlanStep{Name: "image", Kind: delivery.StepImage})
	s.assignment.Plan.Image = &delivery.ImagePlan{Base: "stumbles", Source: "start_env", Start: "exec ./shop\n"}
	launch(t, s).exit(t)
	if finish, _ := s.end(); finish.Outcome != api.OutcomeSucceeded || finish.Artifact == nil {
		t.Fatalf("%+v", finish)
	}
	said := strings.Join(s.text("sys"), "\n")
	if n := strings.Count(said, "The registry does not answer; trying for up to 10m0s: connection refused"); n != 1 {
		t.Errorf("said %d times:\n%s", n, said)
	}
}

// A server may lose lines that it had acknowledged only in memory.
func TestAcknowledgementFallsBack(t *testing.T) {
	t.Parallel()
	s := serve(t, script("count", count(5000)))
	s.lower = 1234
	if code := launch(t, s).exit(t); code != 0 {
		t.Fatal(code)
	}
	expectLines(t, s, 5000-0)
}

func TestOverflowLeavesAGap(t *testing.T) {
	t.Parallel()
	s := serve(t, script("count", count(20000)+"; touch written; while [ ! -e on ]; do sleep 0.01; done"))
	s.fault = func(path string, _ int) int {
		if strings.HasSuffix(path, "/log") {
			return http.StatusServiceUnavailable
		}
		return 0
	}
	r := launch(t, s, envSpool+"=200000")
	until(t, "all output", func() bool {
		_, err := os.Stat(filepath.Join(r.workspace, "src", "written"))
		return err == nil
	})
	s.mu.Lock()
	s.fault = nil
	s.mu.Unlock()
	if err := os.WriteFile(filepath.Join(r.workspace, "src", "on"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if code := r.exit(t); code != 0 {
		t.Fatal(code)
	}
	if len(s.gaps) == 0 || s.gaps[0].Reason == "" {
		t.Fatalf("gaps %+v", s.gaps)
	}
	if last := s.lines[len(s.lines)-1]; last.Text != "line 20000" || s.line != 20001 { // with the script's own line
		t.Errorf("%+v of %d", last, s.line)
	}
}

// Lines that the server will never take must not keep the job from ending.
func TestRefusedLinesBecomeAGap(t *testing.T) {
	t.Parallel()
	s := serve(t, script("count", count(10)))
	s.fault = func(path string, n int) int {
		if strings.HasSuffix(path, "/log") && n == 1 {
			return http.StatusRequestEntityTooLarge
		}
		return 0
	}
	if code := launch(t, s).exit(t); code != 0 {
		t.Fatal(code)
	}
	if len(s.gaps) != 1 || s.gaps[0].From != 1 || s.line != 11 {
		t.Errorf("gaps %+v, last line %d", s.gaps, s.line)
	}
}

func TestClaimIsRefused(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]int{http.StatusGone: runner.ExitGone, http.StatusForbidden: runner.ExitError} {
		s := serve(t, script("never", "echo never"))
		s.fault = func(string, int) int { return status }
		if got := launch(t, s).exit(t); got != code || len(s.reports) != 0 {
			t.Errorf("%d: exit code %d, %d reports", status, got, len(s.reports))
		}
	}
}

func TestMasksInTheLog(t *testing.T) {
	t.Parallel()
	s := serve(t, script("leak", `
echo "plain s3cr3t/value+x end"
printf 's3c'; sleep 0.02; echo 'r3t/value+x'
printf 'user:s3cr3t/value+x' | base64
echo s3cr3t%2Fvalue%2Bx
echo second-line-of-key
echo "$CLONE" >&2
head -c 65530 /dev/zero | tr '\0' x; echo 's3cr3t/value+x tail'
echo progress 1 | tr '\n' '\r'; echo progress 2
exit 3`))
	s.assignment.Masks = []string{"s3cr3t/value+x", "first-line-of-key\nsecond-line-of-key\n", "no"}
	s.assignment.Variables = map[string]string{"CLONE": "clone-password"}
	launch(t, s).exit(t)
	finish, _ := s.end()
	all := strings.Join(append(s.text("sys"), append(s.text("out"), s.text("err")...)...), "\n") + finish.Cause.Text
	for _, secret := range []string{"s3cr3t", "second-line", "clone-password", "czNjcjN0"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	out := s.text("out")
	for i, want := range map[int]string{0: "plain *** end", 1: "***", 3: "***", 4: "***", 6: "progress 2"} {
		if out[i] != want {
			t.Errorf("line %d is %q", i, out[i])
		}
	}
	if !strings.HasSuffix(out[5], "xxx*** …[13 bytes cut]") {
		t.Errorf("%q", out[5][len(out[5])-40:])
	}
	if f := finish; f.Outcome != api.OutcomeFailed {
		t.Errorf("%+v", f)
	}
}

// A log that takes no more is sent no more, and the job goes on.
func TestNothingIsSentToAFullLog(t *testing.T) {
	t.Parallel()
	s := serve(t, script("flood", "seq 300000; echo last >&2"), script("next", "echo next; exit 3"))
	s.fullAt = 1
	launch(t, s).exit(t)
	finish, steps := s.end()
	if finish.Outcome != api.OutcomeFailed || steps["flood"].State != delivery.StepSucceeded || *finish.Cause.Exit != 3 {
		t.Errorf("%+v, %+v", finish.Cause, steps)
	}
	if s.batches != 1 {
		t.Errorf("%d batches were sent to a log that was full after the first", s.batches)
	}
}

// Before the first command runs the runner has all threads that it will need: a build
// that uses up the processes it may have cannot end it.
func TestThreadsAreReadyBeforeAnythingRuns(t *testing.T) {
	t.Parallel()
	s := serve(t, script("count", `sed -n 's/^Threads:[^0-9]*//p' /proc/$PPID/status`))
	launch(t, s).exit(t)
	if out := s.text("out"); len(out) != 1 {
		t.Errorf("%q", out)
	} else if n, err := strconv.Atoi(out[0]); err != nil || n < 24 {
		t.Errorf("%d threads, %v", n, err)
	}
}
