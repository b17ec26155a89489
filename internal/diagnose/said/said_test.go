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

// Whatever a component says, nothing that is read of it breaks a Cause.
func FuzzRead(f *testing.F) {
	for _, words := range []string{
		`0/3 nodes are available: 1 node(s) had untolerated taint {a: b}, 2 Insufficient cpu. preemption: 0/3 nodes are available.`,
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
		format, _ := said.ExecFormat(words)
		r := said.ReadRefusal(words)
		whole(t, words, command, format, r.By, r.Field, r.Said)
		said.FailedPull(words)
		said.OwnDisk(words)
		said.KilledByProbe(words, "shop")
	})
}
