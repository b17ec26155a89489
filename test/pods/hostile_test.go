//go:build e2e

package pods

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

var flood = flag.Int("flood", 200, "how many MB a hostile build writes to its log")

// TestClusterHostile gives pods what nobody should: each build is contained, ended and
// explained, and those beside it end as if it were not there.
func TestClusterHostile(t *testing.T) {
	b := newBesieged(t)
	cases, runs := b.cases(), map[string]delivery.RunID{}
	for name, h := range cases {
		runs[name] = b.begin(name, h)
	}
	for _, name := range []string{"honest-1", "honest-2", "honest-3"} {
		cases[name] = hostile{steps: []string{"i=0; while [ $i -lt 5 ]; do echo fine; sleep 1; i=$((i+1)); done"}, state: delivery.RunSucceeded, check: says("fine")}
		runs[name] = b.begin(name, cases[name])
	}
	for name, h := range cases {
		if h.meanwhile != nil {
			h.meanwhile(t, b, b.says(runs[name], "ready"))
		}
	}
	for name, h := range cases {
		t.Run(name, func(t *testing.T) { b.in(t).endsAs(t, runs[name], h) })
	}
	b.checkOrphans()
}

// endsAs waits for the end of a build, and looks at it.
func (w *world) endsAs(t *testing.T, id delivery.RunID, h hostile) {
	t.Helper()
	r := w.ended(id, time.Duration(5+*flood/100)*time.Minute)
	log := w.api.LogText(id)
	if r.State != h.state || h.cause != "" && (r.Cause == nil || r.Cause.Code != h.cause) {
		t.Fatalf("%s: %+v; lost %+v\n%s", r.State, r.Cause, r.Jobs[0].Lost, tail(log))
	}
	if r.State == delivery.RunFailed || r.State == delivery.RunErrored {
		if all := r.Cause.Text + "\n" + strings.Join(r.Cause.Evidence, "\n"); !strings.Contains(all, h.says) || r.Cause.Next == "" {
			t.Errorf("it says %q → %q, and not %q", all, r.Cause.Next, h.says)
		}
		t.Logf("%s → %s", r.Cause.Text, r.Cause.Next)
	}
	if h.check != nil {
		h.check(t, r, output(log))
	}
}

// output is a log without the scripts themselves.
func output(log string) string {
	return strings.Join(slices.DeleteFunc(harness.Lines(log), func(line string) bool { return strings.HasPrefix(line, "$ ") }), "\n") + "\n"
}

// says waits until a build's log has a line.
func (b *besieged) says(id delivery.RunID, line string) api.Run {
	b.t.Helper()
	var r api.Run
	if !harness.Eventually(2*time.Minute, func() bool {
		r = b.api.Run(id)
		return r.State == delivery.RunRunning && r.Jobs[0].State == delivery.JobRunning && strings.Contains(output(b.api.LogText(id)), line+"\n")
	}) {
		b.t.Fatalf("%s is %s and does not say %q", r.Name, r.State, line)
	}
	return r
}

func tail(log string) string { return log[max(0, len(log)-2000):] }

// says wants texts in a log, and lacks wants them not to be.
func says(texts ...string) func(*testing.T, api.Run, string) {
	return func(t *testing.T, _ api.Run, log string) {
		for _, text := range texts {
			text, absent := strings.CutPrefix(text, "!")
			if strings.Contains(log, text) == absent {
				t.Errorf("the log says %q: %v\n%s", text, absent, tail(log))
			}
		}
	}
}

const bomb = "b() { b | b & b; }; b"

func (b *besieged) cases() map[string]hostile {
	const good, bad = delivery.RunSucceeded, delivery.RunFailed
	host, server := b.server.Front.Host(), strings.Replace(b.server.Front.Addr(), ":", " ", 1)
	return map[string]hostile{
		"forks":        {steps: []string{bomb}, limit: "20s", state: bad, says: "can't fork"},
		"forks-hidden": {steps: []string{"while :; do setsid sleep 300 & done"}, limit: "20s", state: bad, says: "can't fork"},
		"flood": {
			limit: "60m",
			steps: []string{fmt.Sprintf("echo first; yes 'a line of a log that is far too long, of somebody who left debugging on' | head -c %d; echo last", *flood<<20)},
			state: good,
			check: func(t *testing.T, _ api.Run, log string) {
				t.Logf("of %d MB %d are kept", *flood, len(log)>>20)
				if len(log) > 25<<20 || !strings.Contains(tail(log), "log limit reached") {
					t.Errorf("%d bytes of log end with %s", len(log), tail(log))
				}
			},
		},
		"fills-disk": {
			steps: []string{"head -c 300000000 /dev/zero > big; sleep 300"}, state: delivery.RunErrored, cause: delivery.AttemptDisk, says: "200Mi",
		},
		"ignores-term": {steps: []string{"trap '' TERM INT HUP; echo stubborn; while :; do sleep 1; done"}, limit: "3s", state: bad, cause: "step.timeout", says: "time limit"},
		"canceled": {
			steps: []string{"trap '' TERM INT HUP; echo ready; while :; do sleep 1; done"}, state: delivery.RunCanceled,
			meanwhile: func(_ *testing.T, b *besieged, r api.Run) {
				b.api.Must("POST", "/runs/"+string(r.ID)+"/cancel", struct{}{}, nil)
			},
		},
		"ends-its-runner":  {steps: []string{"kill -KILL 1; kill -STOP 1; kill -TERM 1; sleep 60"}, state: delivery.RunErrored, cause: "attempt.stopped", says: "stopped from outside"},
		"quits-its-runner": {steps: []string{"kill -QUIT 1; sleep 60"}, state: delivery.RunErrored, cause: "attempt.killed", says: "exit 2"},
		"left-behind": {
			steps: []string{
				"(setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 1; done' &); nohup sleep 7777 >/dev/null 2>&1 & echo began",
				"for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done",
			},
			state: good, check: says("began", "shiplock-runner", "!sleep 7777", "!while :"),
		},
		"network": {
			steps: []string{strings.NewReplacer("HOST", host, "NEIGHBOUR", b.neighbour, "SERVER", server).Replace(`
try() { if timeout 10 nc -w 3 "$2" "$3" </dev/null >/dev/null 2>&1; then echo "$1 is reached"; else echo "$1 is refused"; fi; }
try api HOST 6443
try service 10.96.0.1 443
try kubelet HOST 10250
try registry HOST 5400
try neighbour NEIGHBOUR 8080
try metadata 169.254.169.254 80
try server SERVER
ls /var/run/secrets/kubernetes.io 2>/dev/null && echo 'there is a token'
env | grep KUBERNETES && echo 'there is an address'
true`)},
			state: good,
			check: says("api is refused", "service is refused", "kubelet is refused", "registry is refused", "neighbour is refused",
				"metadata is refused", "server is reached", "!there is a"),
		},
		"forges": {
			steps: []string{strings.NewReplacer("SERVER", server).Replace(`
echo ready
for p in /proc/[0-9]*; do
  [ -r $p/environ ] && tr '\0' '\n' < $p/environ | sed -n 's/^SHIPLOCK_CODE=/a code is in the environment: /p'
  for fd in $p/fd/*; do case $(readlink $fd) in /proc/*|/dev/*|pipe:*|socket:*|'') ;; *) echo "a file is open: $(readlink $fd)";; esac; done
done 2>/dev/null
head -c 1 /proc/1/mem >/dev/null 2>&1 && echo 'the memory is open'
post() { { printf 'POST %s HTTP/1.0\r\nContent-Type: application/json\r\nAuthorization: Bearer 0123456789abcdefghijklmnop\r\nContent-Length: %d\r\n\r\n%s' "$1" ${#2} "$2"; sleep 3; } | nc -w 5 SERVER | sed -n "s|^HTTP/1.. |$1 answers |p"; }
post /runner/v1/claim '{"protocols":[3],"attempt":"forges-1-build-1","code":"0123456789abcdefghijklmnop","token":"0123456789abcdefghijklmnop"}'
post /runner/v1/attempts/forges-1-build-1/reports '{"reports":[{"seq":2,"finish":{"outcome":"failed"}}]}'
post /runner/v1/attempts/forges-1-build-1/push '{}'
post /runner/v1/attempts/honest-1-1-build-1/reports '{"reports":[{"seq":2,"finish":{"outcome":"failed"}}]}'
sleep 5`)},
			state: good,
			meanwhile: func(t *testing.T, b *besieged, r api.Run) {
				key := r.App + "-1-build-1"
				claim := api.Claim{Protocols: []int{api.RunnerProtocol}, Attempt: key, Code: b.code(t, key), Token: "0123456789abcdefghijklmnop"}
				if status := b.post(t, api.RunnerClaimPath, claim); status < 400 {
					t.Errorf("with its code a running attempt can be claimed again: %d", status)
				}
			},
			check: func(t *testing.T, r api.Run, log string) {
				says("/claim answers 403", "forges-1-build-1/reports answers 410", "/push answers 410", "honest-1-1-build-1/reports answers 4",
					"!a code is in", "!the memory is open", "!a file is open")(t, r, log)
				if n := b.in(t).api.Finishes(r.ID); n != 1 {
					t.Errorf("finished %d times", n)
				}
			},
		},
		"images": {
			steps: []string{strings.NewReplacer("SERVER", server).Replace(`
ask() { { printf '%s HTTP/1.0\r\nAuthorization: %s\r\nContent-Length: 0\r\n\r\n' "$1" "$2"; sleep 3; } | nc -w 5 SERVER | sed -n "s|^HTTP/1.. |$1 answers |p"; }
ask 'POST /v2/shop/blobs/uploads/' ''
ask 'PUT /v2/shop/manifests/1' 'Basic aW1hZ2VzLTEtYnVpbGQtMTpndWVzcw=='
ask 'GET /v2/shop/tags/list' ''
ask 'GET /v2/_catalog' ''`)},
			state: good, check: says("uploads/ answers 401", "manifests/1 answers 401", "list answers 401", "_catalog answers 40"),
		},
	}
}

// post asks the server as a runner does.
func (b *besieged) post(t *testing.T, path string, body any) int {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Post(b.server.URL()+path, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
