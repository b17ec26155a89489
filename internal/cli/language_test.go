package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

func isChinese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// Every command says in both languages what it is for.
func TestHelpIsInBothLanguages(t *testing.T) {
	root := New(Deps{Getenv: func(string) string { return "" }})
	root.InitDefaultHelpCmd()
	var missing []string
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		for _, text := range []string{cmd.Short, cmd.Long} {
			if said := phrase.In(phrase.Chinese, text); text != "" && !isChinese(said) && !strings.HasPrefix(text, "Help provides") {
				missing = append(missing, fmt.Sprintf("%s: %q has no Chinese: add it to internal/delivery/phrase/commands.go", cmd.CommandPath(), text))
			}
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !isChinese(phrase.In(phrase.Chinese, f.Usage)) {
				missing = append(missing, fmt.Sprintf("%s --%s: %q has no Chinese: add it to internal/delivery/phrase/commands.go", cmd.CommandPath(), f.Name, f.Usage))
			}
		})
		for _, child := range cmd.Commands() {
			check(child)
		}
	}
	check(root)
	if len(missing) > 0 {
		t.Error(strings.Join(missing, "\n"))
	}
}

func TestHelpSpeaksChinese(t *testing.T) {
	var out bytes.Buffer
	root := New(Deps{Out: &out, Err: &out, Getenv: func(name string) string { return map[string]string{"LANG": "zh_CN.UTF-8"}[name] }})
	root.SetArgs([]string{"run", "--help"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"构建和测试提交。RUN 是", "可用命令：", "watch       跟随一次运行，直到结束", "全局选项：", "查看某个命令的详细说明"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
}

func TestLanguageOfACommand(t *testing.T) {
	for _, tc := range []struct {
		args []string
		env  map[string]string
		want phrase.Lang
	}{
		{nil, nil, phrase.English},
		{nil, map[string]string{"LANG": "zh_CN.UTF-8"}, phrase.Chinese},
		{nil, map[string]string{"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, phrase.English},
		{nil, map[string]string{"LANG": "en_US.UTF-8", "SHIPLOCK_LANG": "zh"}, phrase.Chinese},
		{[]string{"--lang", "en"}, map[string]string{"SHIPLOCK_LANG": "zh"}, phrase.English},
		{[]string{"--lang", "zh-CN"}, nil, phrase.Chinese},
	} {
		getenv := func(name string) string { return tc.env[name] }
		root := New(Deps{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Getenv: getenv})
		root.SetArgs(append([]string{"version"}, tc.args...))
		_ = root.Execute() // only the language counts
		if got := Language(root, getenv); got != tc.want {
			t.Errorf("%v with %v: %s, want %s", tc.args, tc.env, got, tc.want)
		}
	}
}

func TestChineseLines(t *testing.T) {
	c := &console{lang: phrase.Chinese}
	cause := delivery.Because("run.canceled", delivery.Args{"by": "ann", "reason": "not needed"}).In(phrase.Chinese)
	cause.Evidence = []string{"the branch was deleted"} // evidence stays as it is
	got := c.explained(api.Explanation{Run: api.RunSummary{Name: "shop#1", Env: "dev", State: delivery.RunCanceled}, Cause: &cause})
	want := []string{"shop#1 → dev  已取消", "原因：已被 ann 取消：not needed", "    the branch was deleted"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Heads and words of ours are translated and aligned by their width; names of apps
// and branches are not ours.
func TestChineseTable(t *testing.T) {
	var out bytes.Buffer
	c := &console{Deps: Deps{Out: &out, Err: &out}, lang: phrase.Chinese}
	c.table("APP STATE BRANCH", [][]string{{"running", "running: build", "manual"}, {"船闸", "failed", ""}})
	want := "应用     状态           分支\nrunning  运行中：build  manual\n船闸     失败           -\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	r := api.ReleaseSummary{App: "shop", Env: "prod", Revision: api.RevisionSummary{RunNumber: 2}, Emergency: &delivery.Emergency{}}
	c.table("TARGET VERSION", [][]string{{"shop/prod", marked(r)}})
	if !strings.HasSuffix(out.String(), "shop/prod  #2 紧急\n") {
		t.Errorf("an emergency: %q", out.String())
	}
}
