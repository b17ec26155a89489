package pods

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
)

// because makes a Cause of a code and the names and values of its arguments.
func because(code string, pairs ...string) *delivery.Cause {
	args := delivery.Args{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	c := delivery.Because(code, args)
	return &c
}

func exit(t corev1.ContainerStateTerminated) string { return strconv.Itoa(int(t.ExitCode)) }
