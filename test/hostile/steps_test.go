//go:build e2e

package hostile

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

const image = "mkdir -p start_env; echo x > start_env/x\n"

// xmlBomb says "ha" a billion times when its entities are followed.
func xmlBomb() string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE x [<!ENTITY e0 "ha">`)
	for i := 1; i <= 9; i++ {
		fmt.Fprintf(&b, `<!ENTITY e%d "%s">`, i, strings.Repeat(fmt.Sprintf("&e%d;", i-1), 10))
	}
	b.WriteString(`]><testsuite><testcase name="&e9;"><failure message="&e9;"/></testcase></testsuite>`)
	return b.String()
}

const (
	escapes = `\033]52;c;aGk=\a\033[2J\033[1;1H\033]0;owned\a\342\200\256gnp.exe\302\233 31m\a\b`
	ok      = delivery.RunSucceeded
	failed  = delivery.RunFailed
)

// cases are run side by side on one server.
func cases() map[string]hostile {
	return map[string]hostile{
		// Links and paths out of the tree.
		"path-is-a-link":   {path: "app", files: map[string]string{"app -> $OUTSIDE": ""}, state: failed, says: "leads out of the repository by a symbolic link"},
		"image-is-a-link":  {build: "ln -s $OUTSIDE start_env\n", state: failed, says: "symbolic link"},
		"image-link-out":   {build: image + "ln -s $OUTSIDE/file start_env/file\n", state: failed, says: "copy the file instead"},
		"image-link-up":    {build: image + "ln -s ../../../../../etc/passwd start_env/passwd\n", state: failed, says: "symbolic link out of the directory"},
		"image-links-join": {build: image + "mkdir start_env/d; ln -s .. start_env/d/up; ln -s d/up/.. start_env/out\n", state: failed, says: "symbolic link"},
		"image-has-a-pipe": {build: image + "mkfifo start_env/pipe\n", state: failed, says: "is not a file, directory or symbolic link"},
		"report-is-a-link": {
			build: image + "mkdir -p reports; ln -s $OUTSIDE/TEST-x.xml reports/TEST-x.xml; ln -s $OUTSIDE reports/more\n", state: ok,
			check: func(t *testing.T, _ *world, r api.Run, log string) {
				if r.Tests != nil || !strings.Contains(log, "No file matches") {
					t.Errorf("tests %+v\n%s", r.Tests, log)
				}
			},
		},
		"report-is-a-pipe": {build: image + "mkdir reports; mkfifo reports/TEST-p.xml\n", state: ok},
		"report-deep":      {build: image + "mkdir reports; cd reports; i=0; while [ $i -lt 300 ]; do mkdir d; cd d; i=$((i+1)); done; echo '<x/>' > TEST-deep.xml\n", state: ok},
		"xml-bomb": {
			build: image + "mkdir reports; cp bomb.xml reports/TEST-bomb.xml\n", files: map[string]string{"bomb.xml": xmlBomb()}, state: ok,
			check: func(t *testing.T, _ *world, _ api.Run, log string) {
				if !strings.Contains(log, "Warning: junit report reports/TEST-bomb.xml") {
					t.Errorf("no warning:\n%s", log)
				}
			},
		},
		// What a terminal or a page would obey.
		"escapes": {
			build: "printf 'error: " + escapes + " broken\\n' >&2; exit 3\n", state: failed, says: "broken",
			check: func(t *testing.T, w *world, r api.Run, _ string) {
				shown := w.shiplock(t, "run", "explain", r.Name) + w.shiplock(t, "get", "runs", "--app", r.App)
				if !strings.Contains(shown, "broken") || strings.ContainsFunc(shown, func(c rune) bool {
					return c != '\n' && c != '\t' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c))
				}) {
					t.Errorf("shows %q", shown)
				}
			},
		},
		"binary": {build: image + "head -c 300000 /dev/urandom; printf 'a\\000b\\n'; echo done\n", state: ok, check: inLog("done")},
		// Steps that do not end.
		"ignores-term":  {stack: "short", build: "trap '' TERM INT HUP; echo stubborn; while :; do sleep 1; done\n", state: failed, says: "time limit"},
		"closes-output": {build: "exec >&- 2>&-; sleep 1; mkdir start_env; : > start_env/x\n", state: ok},
		"holds-output":  {build: image + "setsid sh -c 'sleep 300' & echo gone\n", state: ok, check: inLog("gone")},
		"left-behind": {
			build: image + "(setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 1; done' &) ; nohup sh -c 'while :; do sleep 1; done' >/dev/null 2>&1 &\nsh -c '(sleep 500 &) &'\n",
			state: ok,
		},
		"kills-its-shell": {build: "kill -9 $PPID; sleep 5\n", state: failed, says: "killed by SIGKILL"},
		"kills-the-runner": {
			build: "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 5\n", state: delivery.RunErrored,
			check: func(t *testing.T, _ *world, r api.Run, _ string) {
				if r.Jobs[0].Attempt < 2 {
					t.Errorf("attempt %d, cause %+v", r.Jobs[0].Attempt, r.Cause)
				}
			},
		},
		"forks": {build: image + "i=0; while [ $i -lt 400 ]; do setsid sleep 300 & i=$((i+1)); done; echo forked\n", state: ok, check: inLog("forked")},
		// Files that are hard to remove.
		"unwritable": {build: image + "mkdir -p a/b/c; : > a/b/c/f; chmod 000 a/b/c a/b a; chmod 500 .\n", state: ok},
		// Deeper than a path may be long: chains are moved to the end of one another.
		"deep": {build: image + `top=$PWD; for round in 1 2 3 4 5; do
  cd $top; mkdir new; cd new; i=0; while [ $i -lt 300 ]; do mkdir dddddddddd; cd dddddddddd; i=$((i+1)); done
  [ ! -d $top/chain ] || mv $top/chain .
  cd $top; mv new chain
done
`, state: ok},
		"many-files": {build: image + fmt.Sprintf("mkdir m; cd m; seq 1 %d | xargs touch\n", sized(10_000, 1_000_000)), state: ok, stack: "patient"},
		"odd-names":  {build: image + "n=$(printf '%0255d' 0); : > start_env/$n; : > \"start_env/a b\"; : > \"$(printf 'x\\ny')\"; : > \"$(printf '\\377\\376')\"; : > './-rf'\n", state: ok},
		// What a step can learn.
		"environment": {
			build: image + "env; cat /proc/$PPID/environ 2>/dev/null | tr '\\0' '\\n' || true; cat /proc/$PPID/cmdline | tr '\\0' ' '; echo; set\n", state: ok,
			check: func(t *testing.T, _ *world, _ api.Run, log string) {
				for _, secret := range []string{harness.AdminToken, harness.HookSecret, harness.ForgeToken, harness.ClonePass} {
					if strings.Contains(log, secret) {
						t.Errorf("a step sees %s", secret)
					}
				}
			},
		},
		"prints-a-secret": {
			build: image + "echo 'it is " + harness.ClonePass + ".'; echo '" + base64.StdEncoding.EncodeToString([]byte("user:"+harness.ClonePass)) + "'\n", state: ok,
			check: func(t *testing.T, _ *world, _ api.Run, log string) {
				if strings.Contains(log, harness.ClonePass) || !strings.Contains(log, "it is ***.") || strings.Contains(log, base64.StdEncoding.EncodeToString([]byte("user:" + harness.ClonePass))[:20]) {
					t.Errorf("not masked:\n%s", log)
				}
			},
		},
		"long-line": {
			stack: "patient", build: image + fmt.Sprintf("head -c %d /dev/zero | tr '\\0' x; echo; echo after\n", sized(64, 1024)<<20), state: ok,
			check: func(t *testing.T, _ *world, _ api.Run, log string) {
				if len(log) > 1<<20 || !strings.Contains(log, "bytes cut]") || !strings.Contains(log, "\nafter\n") {
					t.Errorf("%d bytes of log: …%s", len(log), log[max(0, len(log)-200):])
				}
			},
		},
	}
}

func inLog(text string) func(*testing.T, *world, api.Run, string) {
	return func(t *testing.T, _ *world, _ api.Run, log string) {
		if !strings.Contains(log, text) {
			t.Errorf("the log lacks %q: …%s", text, log[max(0, len(log)-300):])
		}
	}
}

func TestSteps(t *testing.T) {
	w := newWorld(t, nil)
	t.Run("side by side", func(t *testing.T) {
		for name, h := range cases() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r, log := w.run(t, name, h)
				if r.State != h.state || h.says != "" && (r.Cause == nil || !strings.Contains(r.Cause.Text+" "+strings.Join(r.Cause.Evidence, " "), h.says)) {
					t.Fatalf("%s: %+v\n%s", r.State, r.Cause, log[max(0, len(log)-2000):])
				}
				if r.State != ok && (r.Cause == nil || r.Cause.Text == "") {
					t.Error("it does not say why")
				}
				if strings.Contains(log, secret) {
					t.Errorf("the log holds what is outside:\n%s", log)
				}
				if h.check != nil {
					h.check(t, w, r, log)
				}
			})
		}
		t.Run("neighbour", func(t *testing.T) {
			t.Parallel()
			w.neighbour(t, "neighbour")
		})
	})
	w.untouched(t)
	w.cleared(t)
	w.neighbour(t, "afterwards")
	if peak := w.memory(t); peak > 600 {
		t.Errorf("the server took %d MB", peak)
	}
}

// A document that grows when it is read is refused, at once and with its place.
func TestYAMLBomb(t *testing.T) {
	w := newWorld(t, nil)
	var b strings.Builder
	b.WriteString("a0: &a0 [x]\n")
	for i := 1; i <= 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"aliases.yaml": b.String() + "kind: App\n",
		"nested.yaml":  "apiVersion: " + strings.Repeat("[", 100_000),
		"wide.yaml":    "apiVersion: shiplock/v1\nkind: App\nmetadata: {name: a}\nspec: {labels: {" + strings.Repeat("a: b, ", 200_000) + "}}\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		out := w.shiplock(t, "apply", "-f", file)
		if !strings.Contains(out, name+":") || len(out) > 20_000 || time.Since(began) > 20*time.Second {
			t.Errorf("%s, after %v: %.500s", name, time.Since(began), out)
		}
	}
	w.neighbour(t, "neighbour")
}
