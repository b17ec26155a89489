package cli

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// langFlag is the flag of all commands that chooses the language.
const langFlag = "lang"

// Language is the one that a command speaks: of --lang, of SHIPLOCK_LANG, or of the
// environment's locale.
func Language(cmd *cobra.Command, getenv func(string) string) phrase.Lang {
	asked, _ := cmd.Flags().GetString(langFlag) // empty where there is none
	if l, ok := phrase.ParseLang(cmp.Or(asked, getenv("SHIPLOCK_LANG"))); ok {
		return l
	}
	return phrase.FromEnvironment(getenv)
}

// checkLanguage refuses a language that is not ours.
func checkLanguage(cmd *cobra.Command, asked string) error {
	if _, ok := phrase.ParseLang(asked); asked != "" && !ok {
		return usageOf(cmd, fmt.Sprintf("--lang %s: write en or zh", asked))
	}
	return nil
}
