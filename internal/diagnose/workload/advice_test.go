package workload_test

import (
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/diagnose/workload"
)

// What to do follows from what the app, or the cluster, says.
func TestNext(t *testing.T) {
	for line, want := range map[string]string{
		"open data.db: read-only file system":                         "workload.scratch",
		"java.io.FileNotFoundException: a.db (Read-only file system)": "workload.scratch",
		"Error: EROFS: read-only file system, open 'a.db'":            "workload.scratch",
		"open /home/services/data/a.db: permission denied":            "workload.security.runAsUser",
		"error: dial tcp 10.0.0.1:5432: connect: connection refused":  "reachable",
		"error: DATABASE_URL is not set":                              "DATABASE_URL",
		"error: something new":                                        "app's log",
	} {
		cause, _ := workload.Judge(wrote(evidence(pod("shop-1", exited(2, 1, "Error", ""))), false, "starting", line), t0)
		if cause == nil || !strings.Contains(cause.Next, want) {
			t.Errorf("%s: %+v", line, cause)
			continue
		}
		promised(t, *cause)
	}
	for scheduler, want := range map[string]string{
		"2 Insufficient cpu, 1 node(s) had untolerated taint(s).":                     "workload.resources.requests",
		"1 Insufficient cpu, 2 node(s) had untolerated taint(s).":                     "workload.tolerations",
		"1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector.":    "workload.nodeSelector",
		"1 Insufficient cpu, 2 node(s) were unschedulable.":                           "uncordoned",
		"1 Insufficient cpu, 2 node(s) didn't match pod topology spread constraints.": "topology spread",
	} {
		cause, _ := workload.Judge(evidence(pod("shop-1", unplaced("0/3 nodes are available: "+scheduler))), t0)
		if cause == nil || !strings.Contains(cause.Next, want) {
			t.Errorf("%s: %+v", scheduler, cause)
		}
	}
}
