//go:build e2e

package kube

import (
	"bufio"
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Writes are requests that have changed something in a cluster since its API server's
// start, by what they changed, such as "POST pods/binding".
type Writes map[string]int

var (
	counter = regexp.MustCompile(`^apiserver_request_total\{(.*)\} ([0-9.e+]+)$`)
	label   = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// ofPods are written because there are pods. The rest is of the cluster's own parts, and
// of namespaces that come and go beside.
var ofPods = map[string]bool{
	"pods": true, "pods/binding": true, "pods/status": true, "pods/eviction": true, "pods/ephemeralcontainers": true,
	"events": true, "secrets": true, "serviceaccounts/token": true, "resourcequotas/status": true,
	"persistentvolumeclaims": true, "persistentvolumeclaims/status": true, "persistentvolumes": true, "persistentvolumes/status": true,
}

// ofApps are what a release writes.
var ofApps = map[string]bool{
	"deployments": true, "services": true, "configmaps": true, "horizontalpodautoscalers": true,
	"poddisruptionbudgets": true, "ingresses": true, "secrets": true, "jobs": true,
}

// Writes asks the API server for those that pods cause, in all namespaces. Deleting whole
// namespaces is left out.
func (n *Namespace) Writes(t testing.TB) Writes {
	t.Helper()
	return n.writes(t, ofPods)
}

// AppWrites are likewise those of the objects that make up apps.
func (n *Namespace) AppWrites(t testing.TB) Writes {
	t.Helper()
	return n.writes(t, ofApps)
}

func (n *Namespace) writes(t testing.TB, of map[string]bool) Writes {
	t.Helper()
	client, err := n.api.core()
	if err != nil {
		t.Fatal(err)
	}
	text, err := client.Get().AbsPath("/metrics").Do(t.Context()).Raw()
	if err != nil {
		t.Fatal(err)
	}
	writes := Writes{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := counter.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		is := map[string]string{}
		for _, l := range label.FindAllStringSubmatch(m[1], -1) {
			is[l[1]] = l[2]
		}
		what := is["resource"]
		if is["subresource"] != "" {
			what += "/" + is["subresource"]
		}
		if !strings.Contains("POST PUT PATCH APPLY DELETE", is["verb"]) || !of[what] || is["verb"] == "DELETE" && is["scope"] == "namespace" {
			continue
		}
		count, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		writes[is["verb"]+" "+what] += int(count)
	}
	if err := lines.Err(); err != nil || len(writes) == 0 {
		t.Fatalf("the API server's metrics count no writes: %v", err)
	}
	return writes
}

// Since are the writes that are not in an earlier count.
func (w Writes) Since(earlier Writes) Writes {
	more := Writes{}
	for what, count := range w {
		if d := count - earlier[what]; d > 0 {
			more[what] = d
		}
	}
	return more
}

// Sum is how many there are.
func (w Writes) Sum() (sum int) {
	for _, count := range w {
		sum += count
	}
	return sum
}
