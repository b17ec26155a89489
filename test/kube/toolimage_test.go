//go:build e2e

package kube

import (
	"strings"
	"testing"
)

func TestClusterHasToolsForBuilds(t *testing.T) {
	for language, script := range map[string]string{
		"go":   "mkdir /x && cd /x && printf 'package main\nfunc main() { println(42) }' > main.go && go run main.go",
		"java": "mvn -v >/dev/null && printf 'class A { public static void main(String[] a) { System.err.println(42); } }' > A.java && javac A.java && java A",
		"node": "npm -v && node -e 'console.error(42)'",
		"php":  "composer --version && php -r 'fwrite(STDERR, \"42\n\");'",
	} {
		t.Run(language, func(t *testing.T) {
			n := Cluster(t)
			pod := Script("build", "git --version && cd /tmp && "+script)
			pod.Spec.Containers[0].Image = n.ToolImage(t, language)
			end, log := n.Run(t, pod)
			if end.ExitCode != 0 || !strings.HasSuffix(log, "42\n") {
				t.Errorf("it ends with %d and prints %q", end.ExitCode, log)
			}
		})
	}
}
