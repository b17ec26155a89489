package main

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// Each paragraph of the help of this program's own commands is said in Chinese.
func TestHelpIsInBothLanguages(t *testing.T) {
	chinese := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	}
	check := func(where, text string) {
		en, zh := strings.Split(text, "\n\n"), strings.Split(phrase.In(phrase.Chinese, text), "\n\n")
		if text != "" && (len(en) != len(zh) || slices.ContainsFunc(zh, func(s string) bool { return !chinese(s) })) {
			t.Errorf("%s: %q has no Chinese: add it to internal/delivery/phrase/commands.go", where, text)
		}
	}
	local, cluster := newLocal(), newCluster()
	all := append([]*cobra.Command{newServe(), newDemo(), local, cluster}, local.Commands()...)
	for _, cmd := range append(all, cluster.Commands()...) {
		check(cmd.Name(), cmd.Short)
		check(cmd.Name(), cmd.Long)
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { check(cmd.Name()+" --"+f.Name, f.Usage) })
	}
}
