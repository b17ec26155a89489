package phrase

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// arguments collects what a template mentions; groups say what may be missing.
func arguments(parts []part, into map[string]string) {
	for _, p := range parts {
		arguments(p.group, into)
		if p.arg != "" {
			into[p.arg] = "VALUE"
		}
	}
}

func argsOf(templates ...string) map[string]string {
	args := map[string]string{}
	for _, t := range templates {
		arguments(parse(t), args)
	}
	return args
}

// Both languages say the same: with the same arguments, and with a next step or
// without.
func TestEveryPhraseIsWholeInBothLanguages(t *testing.T) {
	for _, p := range catalogue {
		name := p.Code + " " + p.En
		if p.En == "" || p.Zh == "" || (p.NextEn == "") != (p.NextZh == "") {
			t.Errorf("%s: something is not said in both languages: %+v", name, p)
		}
		for _, pair := range [][2]string{{p.En, p.Zh}, {p.NextEn, p.NextZh}} {
			en, zh := slices.Sorted(maps.Keys(argsOf(pair[0]))), slices.Sorted(maps.Keys(argsOf(pair[1])))
			if !slices.Equal(en, zh) {
				t.Errorf("%s: English mentions %v, Chinese %v", name, en, zh)
			}
			checkChinese(t, name, pair[1])
		}
	}
}

// checkChinese holds Chinese to how it is printed: full-width punctuation after a
// Chinese character, and a space between Chinese and Latin.
func checkChinese(t *testing.T, name, text string) {
	t.Helper()
	runes := []rune(text)
	for i, r := range runes[:max(0, len(runes)-1)] {
		next := runes[i+1]
		switch {
		case unicode.Is(unicode.Han, r) && strings.ContainsRune(",;:?!()", next):
			t.Errorf("%s: half-width %q after a Chinese character: %s", name, next, text)
		case unicode.Is(unicode.Han, r) && latin(next), latin(r) && unicode.Is(unicode.Han, next):
			t.Errorf("%s: no space between %q and %q: %s", name, r, next, text)
		case strings.Contains(text, "{@"): // what is ours may be Chinese: the space is made when it is said
		case unicode.Is(unicode.Han, r) && next == '{', r == '}' && unicode.Is(unicode.Han, next):
			t.Errorf("%s: no space beside an argument: %s", name, text)
		}
	}
}

func TestSay(t *testing.T) {
	for _, tc := range []struct {
		code           string
		args           map[string]string
		en, zh         string
		nextEn, nextZh string
	}{
		{
			code: "target.busy", args: map[string]string{"target": "shop/prod"},
			en: "another release is under way on shop/prod", nextEn: "wait for it, or abort it",
			zh: "shop/prod 上有另一个发布正在进行", nextZh: "等它结束，或中止它",
		},
		{
			code: "tests.failed", args: map[string]string{"failed": "1", "test": "TestCart", "error": "sum is 3"},
			en: "1 test failed: TestCart: sum is 3", zh: "1 个测试失败：TestCart: sum is 3",
		},
		{code: "tests.failed", args: map[string]string{"failed": "12"}, en: "12 tests failed", zh: "12 个测试失败"},
		{
			code: "step.failed", args: map[string]string{"topic": "npm", "exit": "1", AdviceArg: "npm.lock"},
			en: "npm failed (exit 1)", nextEn: "Run npm install, and commit package-lock.json.",
			zh: "npm 失败（退出码 1）", nextZh: "运行 npm install，并提交 package-lock.json。",
		},
		{
			code: "step.failed", args: map[string]string{"topic": "compile", "error": "a.go:1:1: bad"},
			en: "compile failed: a.go:1:1: bad", zh: "编译失败：a.go:1:1: bad",
		},
		{
			code: "step.killed", args: map[string]string{"step": "build", "signal": "SIGKILL"},
			en: "step build was killed by SIGKILL, most likely for lack of memory", nextEn: "Give the build more memory, or let it do less at once.",
			zh: "步骤 build 被 SIGKILL 杀死，很可能是内存不足", nextZh: "给构建更多内存，或降低它的并行度。",
		},
		{
			code: "app.crashed", args: map[string]string{"reason": "start.sh exited with code 3 before it was healthy", "error": "no DATABASE_URL"},
			en: "start.sh exited with code 3 before it was healthy: no DATABASE_URL", nextEn: "Read the app's log, mend it, and push again.",
			zh: "start.sh 在健康之前以退出码 3 结束：no DATABASE_URL", nextZh: "查看应用日志，修复后重新推送。",
		},
	} {
		for l, want := range map[Lang][2]string{English: {tc.en, tc.nextEn}, Chinese: {tc.zh, tc.nextZh}} {
			text, next, ok := Say(l, tc.code, tc.args)
			if !ok || text != want[0] || next != want[1] {
				t.Errorf("%s in %s: %q, next %q (%v)\nwant %q, next %q", tc.code, l, text, next, ok, want[0], want[1])
			}
		}
	}
	if text, _, ok := Say(Chinese, "target.busy", nil); ok {
		t.Errorf("without its argument it says %q", text)
	}
	if _, _, ok := Say(English, "no.such", nil); ok {
		t.Error("a code that nobody knows is said")
	}
}

// What was stored without arguments is known by its English form.
func TestInKnowsEnglishForms(t *testing.T) {
	for _, p := range catalogue {
		en := parse(p.En)
		if !telling(en) {
			continue
		}
		args := argsOf(p.En)
		text, ok := fill(en, English, args)
		if !ok {
			t.Fatalf("%s cannot be said", p.En)
		}
		if got := In(Chinese, text); got == text || strings.Contains(got, "{") {
			t.Errorf("%q stays as it is", text)
		}
	}
	for text, want := range map[string]string{
		"canceled by ann: not needed":                          "已被 ann 取消：not needed",
		"checkout failed: no answer":                           "检出失败：没有响应",
		"the new version was not healthy within 5m0s":          "新版本在 5m0s 内没有变为健康",
		"somebody else's words: they stay":                     "somebody else's words: they stay",
		"./a.go:16:19: undefined: healthy":                     "./a.go:16:19: undefined: healthy",
		"asked 25 of them, 0 failed":                           "asked 25 of them, 0 failed",
		"start.sh exited: theirs":                              "start.sh 已退出：theirs",
		"1 of 3 nodes are cordoned; 2 of 3 nodes are cordoned": "3 个节点中有 1 个已停止调度；3 个节点中有 2 个已停止调度",
		"": "",
	} {
		if got := In(Chinese, text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
		if got := In(English, text); got != text {
			t.Errorf("English changes %q to %q", text, got)
		}
	}
}

func TestLineIsOneBoundedLine(t *testing.T) {
	for in, want := range map[string]string{
		"a\nb\r\nc":              "a b  c",
		"\x1b[31mred\x1b[0m\x07": "[31mred[0m",
		strings.Repeat("船", 200): strings.Repeat("船", 99) + "…",
		"plain":                  "plain",
	} {
		if got := Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLanguages(t *testing.T) {
	for in, want := range map[string]Lang{"zh": Chinese, "zh_CN.UTF-8": Chinese, "zh-Hans-CN": Chinese, "ZH": Chinese, "en_GB.UTF-8": English, "C": English, "C.UTF-8": English, "POSIX": English} {
		if got, ok := ParseLang(in); got != want || !ok {
			t.Errorf("%q is %s (%v)", in, got, ok)
		}
	}
	for _, in := range []string{"", "de_DE.UTF-8", "zhuang"} {
		if got, ok := ParseLang(in); ok || got != English {
			t.Errorf("%q is %s (%v)", in, got, ok)
		}
	}
	for in, want := range map[string]Lang{
		"zh-CN,zh;q=0.9,en;q=0.8": Chinese, "en-US,en;q=0.9,zh;q=0.8": English, "en;q=0.1, zh;q=0.5": Chinese,
		"de, zh;q=0.2": Chinese, "zh;q=0, en": English,
	} {
		if got, ok := Accepted(in); got != want || !ok {
			t.Errorf("%q accepts %s (%v)", in, got, ok)
		}
	}
	if _, ok := Accepted("de, *;q=0.1"); ok {
		t.Error("a language that is not ours is accepted")
	}
	env := map[string]string{"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}
	if got := FromEnvironment(func(k string) string { return env[k] }); got != Chinese {
		t.Errorf("LC_MESSAGES does not decide before LANG: %s", got)
	}
}
