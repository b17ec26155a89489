package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// langFlag is the flag of all commands that chooses the language.
const langFlag = "lang"

// Language is the one that a command speaks: of --lang, of SHIPLOCK_LANG, or of the
// environment's locale.
func Language(cmd *cobra.Command, getenv func(string) string) phrase.Lang {
	if l, ok := phrase.ParseLang(cmp.Or(askedLanguage(cmd), getenv("SHIPLOCK_LANG"))); ok {
		return l
	}
	return phrase.FromEnvironment(getenv)
}

func askedLanguage(cmd *cobra.Command) string {
	if f := cmd.Root().PersistentFlags().Lookup(langFlag); f != nil {
		return f.Value.String()
	}
	return ""
}

// checkLanguage refuses a language that is not ours.
func checkLanguage(cmd *cobra.Command) error {
	asked := askedLanguage(cmd)
	if _, ok := phrase.ParseLang(asked); asked != "" && !ok {
		return usageOf(cmd, fmt.Sprintf("--lang %s: write en or zh", asked))
	}
	return nil
}

// say words a sentence of ours in the reader's language. The format is English, and
// the package phrase knows it.
func (c *console) say(format string, args ...any) string {
	return c.in(fmt.Sprintf(format, args...))
}

// in is an English word or sentence of ours in the reader's language.
func (c *console) in(text string) string { return phrase.In(c.lang, text) }

// results are the sums of tests and coverage.
func (c *console) results(t *delivery.Tests, cov *delivery.Coverage) string {
	return c.in(delivery.Results(t, cov))
}

// speakHelp makes help speak the reader's language.
func speakHelp(root *cobra.Command, getenv func(string) string) {
	help, usage := root.HelpFunc(), root.UsageFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		translate(cmd.Root(), Language(cmd, getenv))
		help(cmd, args)
	})
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		translate(cmd.Root(), Language(cmd, getenv))
		return usage(cmd)
	})
}

// translate changes the texts of a command and of all below it.
func translate(cmd *cobra.Command, l phrase.Lang) {
	if l != phrase.Chinese {
		return
	}
	cmd.Short, cmd.Long = phrase.In(l, cmd.Short), phrase.In(l, cmd.Long)
	for _, flags := range []*pflag.FlagSet{cmd.LocalFlags(), cmd.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) { f.Usage = phrase.In(l, f.Usage) })
	}
	if !cmd.HasParent() {
		cmd.SetUsageTemplate(chineseHelp.Replace(cmd.UsageTemplate()))
	}
	for _, child := range cmd.Commands() {
		translate(child, l)
	}
}

// chineseHelp changes the words of cobra's template for usage and help.
var chineseHelp = strings.NewReplacer(
	"Usage:", "用法：", "Aliases:", "别名：", "Examples:", "示例：", "Available Commands:", "可用命令：", "Additional Commands:", "其他命令：",
	"Global Flags:", "全局选项：", "Flags:", "选项：", "Additional help topics:", "其他帮助主题：",
	`Use "{{.CommandPath}} [command] --help" for more information about a command.`, `用 "{{.CommandPath}} [command] --help" 查看某个命令的详细说明。`,
)
