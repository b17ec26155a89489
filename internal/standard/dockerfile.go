package standard

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Dockerfile is the text that the assembled image equals. Labels are the run's own
// (its commit and number) and no part of the plan.
func Dockerfile(p delivery.ImagePlan) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("FROM %s", p.Base)
	if p.With != "" {
		line("COPY --from=%s / /", p.With)
	}
	line("WORKDIR %s", p.Home)
	if p.Start != "" {
		line("# start.sh is the stack's unless %s/ holds one", p.Source)
	}
	line("ADD %s/ %s/", path.Base(p.Source), p.Home)
	for _, name := range slices.Sorted(maps.Keys(p.Env)) {
		line("ENV %s=%s", name, quote(p.Env[name]))
	}
	if p.Port != 0 {
		line("EXPOSE %d", p.Port)
	}
	line(`CMD ["./start.sh"]`)
	return b.String()
}

// quote writes a value that a Dockerfile takes as it is, without expansion.
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "\n", `\n`).Replace(value) + `"`
}
