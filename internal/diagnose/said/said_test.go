package said_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// whole is what holds of everything that is read of a component's words: it goes into a
// Cause as it is.
func whole(t *testing.T, words string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if len(part) > 300 || strings.ContainsAny(part, "\n\r\x1b") || !utf8.ValidString(part) {
			t.Errorf("of %q it reads %q", words, part)
		}
	}
}

func TestReadPull(t *testing.T) {
	const digest = "registry.example.com:5000/shop@sha256:4015034030000000000000000000000000000000000000000000000000000401"
	for words, want := range map[string]said.Pull{
		digest + ": not found": said.PullMissing,
		`failed to resolve reference "` + digest + `": failed to do request: Head "https://registry.example.com:5000/v2/shop": dial tcp 10.0.0.9:5000: connect: connection refused`: said.PullUnreachable,
		`failed to resolve reference "` + digest + `": unexpected status from HEAD request to https://registry.example.com:5000/v2/shop: 503 Service Unavailable`:                   said.PullUnreachable,
		`failed to resolve reference "` + digest + `": unexpected status code 502`:                                                                                                  said.PullUnreachable,
		`failed to resolve reference "` + digest + `": unexpected status code [manifests 1]: 401 Unauthorized`:                                                                      said.PullDenied,
		`failed to resolve reference "` + digest + `": unexpected status code 403`:                                                                                                  said.PullDenied,
		`failed to do request: Head "https://a": http: server gave HTTP response to HTTPS client`:                                                                                   said.PullUnreachable,
		`failed to do request: Head "https://a": tls: failed to verify certificate: x509: certificate signed by unknown authority`:                                                  said.PullUnreachable,
		`failed to copy: httpReadSeeker: failed open: unexpected EOF`:                                                                                                               said.PullUnreachable,
		`no match for platform in manifest: not found`:                                                                                                                              said.PullPlatform,
		`Container image "` + digest + `" is not present with pull policy of Never`:                                                                                                 said.PullMissing,
		`toomanyrequests: You have reached your pull rate limit for ` + digest:                                                                                                      said.PullUnknown,
		`failed to extract layer of ` + digest + `: no space left on device`:                                                                                                        said.PullUnknown,
	} {
		if got := said.ReadPull(words); got != want {
			t.Errorf("%s is %d, not %d", words, got, want)
		}
	}
}

func TestPullEnd(t *testing.T) {
	const image = "registry.example.com:5000/shop@sha256:401503"
	for words, want := range map[string]string{
		`failed to pull and unpack image "` + image + `": failed to resolve reference "` + image + `": failed to do request: Head "https://a/v2": dial tcp 10.0.0.9:5000: connect: connection refused`: `failed to do request: Head "https://a/v2": dial tcp 10.0.0.9:5000: connect: connection refused`,
		`rpc error: code = Unknown desc = failed to pull and unpack image "` + image + `": pulling from host a failed with status code [manifests 1]: 401 Unauthorized`:                                `pulling from host a failed with status code [manifests 1]: 401 Unauthorized`,
		"no space left on device": "no space left on device",
		"":                        "",
	} {
		if got := said.PullEnd(words); got != want {
			t.Errorf("of %q it is %q", words, got)
		}
	}
}

func TestReadStart(t *testing.T) {
	const runc = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: `
	for words, want := range map[string]struct {
		why     said.Start
		command string
	}{
		runc + `exec: "./start.sh": stat ./start.sh: no such file or directory: unknown`:                                                                                       {said.StartMissing, "./start.sh"},
		runc + `error during container init: exec: "./user": stat ./user: no such file or directory: unknown`:                                                                  {said.StartMissing, "./user"},
		runc + `exec: "serve": executable file not found in $PATH: unknown`:                                                                                                    {said.StartMissing, "serve"},
		runc + `exec: "/home/start.sh": permission denied: unknown`:                                                                                                            {said.StartForbidden, "/home/start.sh"},
		runc + `exec /home/shop: exec format error: unknown`:                                                                                                                   {said.StartFormat, "/home/shop"},
		`OCI runtime create failed: container_linux.go:348: starting container process caused "chdir to cwd (\"/srv\") set in config.json failed: permission denied": unknown`: {said.StartFolder, "/srv"},
		`container has runAsNonRoot and image will run as root (pod: "a", container: shop)`:                                                                                    {said.StartRoot, ""},
		`container's runAsUser breaks non-root policy (pod: "a", container: shop)`:                                                                                             {said.StartRoot, ""},
		`context deadline exceeded`: {said.StartUnknown, ""},
	} {
		if why, command := said.ReadStart(words); why != want.why || command != want.command {
			t.Errorf("%s is %d %q, not %d %q", words, why, command, want.why, want.command)
		}
	}
	for line, want := range map[string]struct {
		why     said.Start
		command string
	}{
		"exec ./start.sh: no such file or directory":                                       {said.StartInterpreter, "./start.sh"},
		"exec /usr/bin/shop: exec format error":                                            {said.StartFormat, "/usr/bin/shop"},
		`standard_init_linux.go:211: exec user process caused "no such file or directory"`: {said.StartInterpreter, ""},
		"standard_init_linux.go:228: exec user process caused: exec format error":          {said.StartFormat, ""},
		"open config.yaml: no such file or directory":                                      {said.StartUnknown, ""},
	} {
		if why, command := said.ReadLast(line); why != want.why || command != want.command {
			t.Errorf("%s is %d %q, not %d %q", line, why, command, want.why, want.command)
		}
	}
}

// Whatever a component says, nothing that is read of it breaks a Cause.
func FuzzRead(f *testing.F) {
	for _, words := range []string{
		`0/3 nodes are available: 1 node(s) had untolerated taint {a: b}, 2 Insufficient cpu. preemption: 0/3 nodes are available.`,
		`0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.`,
		`0/1 nodes are available: persistentvolumeclaim "data" not found.`,
		"couldn't find key LEVEL in ConfigMap prod/settings",
		"references non-existent secret key: password",
		"Readiness probe failed: Get \"http://10.1.2.3:8080/\": dial tcp 10.1.2.3:8080: connect: connection refused",
		"Liveness probe errored and resulted in unknown state: rpc error",
		`exec: "/start.sh": permission denied`, `chdir to cwd ("/srv") set in config.json failed`, "exec /start.sh: exec format error",
		`Failed to pull image "a": not found`, `Usage of EmptyDir volume "workspace" exceeds the limit "32Mi". `,
		`pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1`,
		`Deployment.apps "shop" is invalid: spec.selector: Invalid value: v1.LabelSelector{}: field is immutable`,
		`Apply failed with 1 conflict: conflict with "foo" with subresource "scale" using v1 at 2001-02-03T04:05:06Z: .spec.replicas`,
		`User "a" cannot patch resource "b"`, `namespaces "x" not found`, `no matches for kind "X"`, `failed calling webhook "w": no`,
		`persistentvolumeclaim "" not found`, "couldn't find key  in A /", "\x1b\xac0",
	} {
		f.Add(words)
	}
	f.Fuzz(func(t *testing.T, words string) {
		whole(t, words, said.Line(words), said.ReadPull(words).Reason())
		whole(t, words, said.LastLines(words)...)
		if m, ok := said.ReadMissing(words); ok {
			whole(t, words, m.Kind, m.Name, m.Key)
			if m.Kind == "" || m.Name == "" && m.Key == "" {
				t.Errorf("of %q it reads %+v", words, m)
			}
		}
		if u, ok := said.ReadUnplaced(words); ok {
			whole(t, words, u.Taint)
			for _, s := range u.Short {
				whole(t, words, s.Resource)
			}
		}
		if p, ok := said.ReadProbe(words); ok {
			whole(t, words, p.Kind, p.Status, p.Refused, p.Said)
		}
		_, command := said.ReadStart(words)
		_, last := said.ReadLast(words)
		r := said.ReadRefusal(words)
		whole(t, words, command, last, r.By, r.Field, r.Said)
		said.FailedPull(words)
		said.OwnDisk(words)
		said.KilledByProbe(words, "shop")
	})
}

// The list of reasons ends where plugins say what else they tried.
func TestReadUnplacedEndsWithTheList(t *testing.T) {
	u, ok := said.ReadUnplaced(`0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.`)
	if !ok || len(u.Short) != 1 || u.Short[0] != (said.Shortage{Resource: "cpu", Nodes: 1}) || u.Cordoned != 2 {
		t.Errorf("%+v (%v)", u, ok)
	}
}
