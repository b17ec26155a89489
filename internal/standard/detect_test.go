package standard

import (
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

// stacksOf are Stacks of these names, whose language is the part before the first "-".
func stacksOf(names ...string) map[string]delivery.Stack {
	m := map[string]delivery.Stack{}
	for _, name := range names {
		language, _, _ := strings.Cut(name, "-")
		s := plain().Stack
		s.Name, s.Language = name, language
		m[name] = s
	}
	return m
}

func allStacks() map[string]delivery.Stack {
	return stacksOf("java-17", "java-8", "go-1.26", "go-1.22", "nodejs-20", "nodejs-18", "nodejs-20-static", "php-8.2", "php-7.4")
}

func sources(files map[string]string) (list []delivery.SourceFile) {
	for name, text := range files {
		list = append(list, delivery.SourceFile{Path: name, Text: text})
	}
	return list
}

func TestDetect(t *testing.T) {
	type files = map[string]string
	node := func(engines string) files {
		return files{"package.json": `{"engines":{"node":"` + engines + `"},"scripts":{"start":"node ."}}`}
	}
	php := func(require string) files { return files{"composer.json": `{"require":{"php":"` + require + `"}}`} }
	for name, tc := range map[string]struct {
		files    files
		language string
		want     string // stack, and why; or what the error says
	}{
		"go, older":            {files{"go.mod": "module m\n\ngo 1.21\n"}, "", "go-1.22, as go.mod: go 1.21"},
		"go, same":             {files{"go.mod": "module m\ngo 1.22.0\n"}, "", "go-1.22, as go.mod: go 1.22.0"},
		"go, newer":            {files{"go.mod": "module m\ngo 1.24\n"}, "", "go-1.26, as go.mod: go 1.24"},
		"go toolchain":         {files{"go.mod": "module m\ngo 1.22\ntoolchain go1.25.3\n"}, "", "go-1.26, as go.mod: toolchain go1.25.3"},
		"go candidate":         {files{"go.mod": "module m\ngo 1.27rc1\n"}, "", "no Stack fits go.mod: go 1.27rc1 (there are go-1.22, go-1.26)"},
		"go without a line":    {files{"go.mod": "module m\n"}, "", "go-1.22, as go.mod"},
		"java release":         {files{"pom.xml": "<maven.compiler.release>17</maven.compiler.release>"}, "", "java-17, as pom.xml: maven.compiler.release 17"},
		"java source 1.8":      {files{"pom.xml": "<properties><maven.compiler.source>1.8</maven.compiler.source></properties>"}, "", "java-8, as pom.xml: maven.compiler.source 1.8"},
		"java.version":         {files{"pom.xml": "<java.version> 11 </java.version>"}, "", "java-17, as pom.xml: java.version 11"},
		"java 21":              {files{"pom.xml": "<java.version>21</java.version>"}, "", "no Stack fits pom.xml: java.version 21 (there are java-17, java-8)"},
		"java, a property":     {files{"pom.xml": "<source>${java.version}</source>"}, "", "java-8, as pom.xml"},
		"gradle toolchain":     {files{"build.gradle": "java { toolchain { languageVersion = JavaLanguageVersion.of(17) } }"}, "", "java-17, as build.gradle: toolchain 17"},
		"gradle kotlin":        {files{"build.gradle.kts": "java.sourceCompatibility = JavaVersion.VERSION_1_8"}, "", "java-8, as build.gradle.kts: sourceCompatibility 1.8"},
		"java-version":         {files{"pom.xml": "", ".java-version": "17.0.2\n"}, "", "java-17, as .java-version: version 17.0.2"},
		"nvmrc":                {files{"package.json": `{"scripts":{"start":"node ."}}`, ".nvmrc": "v18.19.0\n"}, "", "nodejs-18, as .nvmrc: v18.19.0"},
		"nvmrc over engines":   {files{"package.json": `{"engines":{"node":">=18"},"scripts":{"start":"node ."}}`, ".nvmrc": "18"}, "", "nodejs-18, as .nvmrc: 18"},
		"engines are wider":    {files{"package.json": `{"engines":{"node":"^20.19.0 || >=22"},"scripts":{"start":"node ."}}`, ".nvmrc": "v24.2.0"}, "", "nodejs-20, as package.json: engines.node ^20.19.0 || >=22"},
		"engines, open":        {node(">=16"), "", "nodejs-20, as package.json: engines.node >=16"},
		"engines, closed":      {node(">=16 <20"), "", "nodejs-18, as package.json: engines.node >=16 <20"},
		"engines, caret":       {node("^18.12.0"), "", "nodejs-18, as package.json: engines.node ^18.12.0"},
		"engines, alternative": {node("18 || 19"), "", "nodejs-18, as package.json: engines.node 18 || 19"},
		"engines, hyphen":      {node("16 - 18"), "", "nodejs-18, as package.json: engines.node 16 - 18"},
		"engines, x":           {node("20.x"), "", "nodejs-20, as package.json: engines.node 20.x"},
		"engines, unknown":     {node("lts/*"), "", "nodejs-20, as package.json"},
		"engines, too new":     {node(">=22"), "", "no Stack fits package.json: engines.node >=22 (there are nodejs-18, nodejs-20)"},
		"site":                 {files{"package.json": `{"scripts":{"build":"vite build"}}`}, "", "nodejs-20-static, as package.json builds, and starts no server"},
		"site, dev server":     {files{"package.json": `{"scripts":{"build":"x","start":"react-scripts start"}}`}, "", "nodejs-20-static, as package.json builds, and starts no server"},
		"no site":              {files{"package.json": `{"scripts":{"build":"tsc","start":"node dist"}}`}, "", "nodejs-20, as package.json"},
		"php, range":           {php("^7.4 || ^8.0"), "", "php-8.2, as composer.json: require.php ^7.4 || ^8.0"},
		"php, old":             {php("~7.4.0"), "", "php-7.4, as composer.json: require.php ~7.4.0"},
		"php, at least":        {php(">=7.2,<8.0"), "", "php-7.4, as composer.json: require.php >=7.2,<8.0"},
		"php, platform":        {files{"composer.json": `{"require":{"php":">=7.1"},"config":{"platform":{"php":"7.4.33"}}}`}, "", "php-7.4, as composer.json: config.platform.php 7.4.33"},
		"php, broken":          {files{"composer.json": `{`}, "", "php-8.2, as composer.json"},
		"assets beside":        {files{"composer.json": `{}`, "package.json": `{"scripts":{"build":"vite"}}`}, "", "php-8.2, as composer.json"},
		"nearer folder":        {files{"web/package.json": `{"scripts":{"start":"node ."}}`, "go.mod": "go 1.26"}, "", "nodejs-20, as package.json"},
		"named language":       {files{"pom.xml": "", "go.mod": "go 1.26"}, "go", "go-1.26, as go.mod: go 1.26"},
		"named, no file":       {files{}, "go", "go-1.26, as language go"},
		"two languages":        {files{"pom.xml": "", "go.mod": "go 1.26"}, "", "the folder is of go and of java: write stack: go or stack: java into the App"},
		"nothing":              {files{"Makefile": ""}, "", "no file shows what the folder is made with"},
	} {
		w, err := Detect(sources(tc.files), tc.language)
		var s delivery.Stack
		var why string
		if err == nil {
			s, why, err = StackFor(w, allStacks())
		}
		got := s.Name + ", as " + why
		if err != nil {
			got = err.Error()
		}
		if got != tc.want && (err == nil || !strings.HasPrefix(got, tc.want)) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestContradiction(t *testing.T) {
	for name, tc := range map[string]struct {
		stack, file, text, want string
	}{
		"fits":     {"go-1.26", "go.mod", "go 1.22", ""},
		"too old":  {"go-1.26", "go.mod", "go 1.27", "go.mod: go 1.27, and the app's stack is go-1.26: choose a stack that fits, or change what the repository asks for"},
		"java":     {"java-8", "pom.xml", "<java.version>17</java.version>", "pom.xml: java.version 17, and the app's stack is java-8: choose a stack that fits, or change what the repository asks for"},
		"downward": {"java-17", "pom.xml", "<java.version>1.8</java.version>", ""},
		"node":     {"nodejs-20", ".nvmrc", "18", ""}, // no package.json says that it is one
		"site":     {"nodejs-20-static", "package.json", `{"engines":{"node":">=22"},"scripts":{"build":"vite build"}}`, "package.json: engines.node >=22, and the app's stack is nodejs-20-static: choose a stack that fits, or change what the repository asks for"},
	} {
		in := refinement(t, "")
		in.Plan.Stack, in.Stacks = tc.stack, allStacks()
		in.Files = []delivery.SourceFile{{Path: tc.file, Text: tc.text}}
		_, err := Refine(in)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || err.Error() != tc.want || delivery.KindOf(err) != delivery.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The version that developers use is no contradiction where the engines allow more.
func TestContradictionOfNode(t *testing.T) {
	for engines, want := range map[string]string{
		`{"engines":{"node":">=16"}}`: "",
		`{"engines":{"node":">=22"}}`: "package.json: engines.node >=22, and the app's stack is nodejs-20: choose a stack that fits, or change what the repository asks for",
		`{}`:                          ".nvmrc: 18, and the app's stack is nodejs-20: choose a stack that fits, or change what the repository asks for",
	} {
		w, err := Detect(sources(map[string]string{"package.json": engines, ".nvmrc": "18"}), "nodejs")
		if got := w.Contradiction(allStacks()["nodejs-20"]); err != nil || got != want {
			t.Errorf("%s: %q, %v", engines, got, err)
		}
	}
}

// An App without a stack has a plan once its files are known, with exceptions too.
func TestOpenPlan(t *testing.T) {
	in := plain()
	in.App.Stack, in.Stack = "", delivery.Stack{}
	open := mustPlan(t, in)
	if !open.Open || len(open.Steps) != 1 || open.Image != nil || len(open.Reads) < 5 {
		t.Fatalf("plan is %+v", open)
	}
	r := Refinement{Plan: open, App: "shop", Input: in, Stacks: allStacks(), Facts: Facts{Environment: "dev", Branch: "dev"}, Files: sources(map[string]string{
		"services/shop/go.mod": "go 1.25", "shiplock.yaml": "steps: [{name: lint, run: x, needs: [checkout]}]",
	})}
	p, err := Refine(r)
	if err != nil {
		t.Fatal(err)
	}
	checkPlan(t, p)
	if p.Stack != "go-1.26" || p.StackWhy != "go.mod: go 1.25" || p.Open || len(p.Steps) != 5 || p.Image == nil {
		t.Errorf("plan is %+v", p)
	}
	r.Files = nil
	if _, err := Refine(r); delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), "write stack into the App") {
		t.Errorf("error is %v", err)
	}
}

func FuzzDetect(f *testing.F) {
	f.Add("go.mod", "go 1.26\ntoolchain go1.27")
	f.Add("package.json", `{"engines":{"node":">=18 <21 || ^22"},"scripts":{"build":"x"}}`)
	f.Add("composer.json", `{"require":{"php":"~7.4 - 8.*, !=8.1"},"config":{"platform":{"php":"x"}}}`)
	f.Add("pom.xml", "<java.version>1.8</java.version>")
	f.Add("build.gradle", "languageVersion = JavaLanguageVersion.of(17)")
	f.Fuzz(func(t *testing.T, name, text string) {
		w, err := Detect([]delivery.SourceFile{{Path: name, Text: text}}, "")
		if err != nil {
			return
		}
		s, why, err := StackFor(w, allStacks())
		if err != nil {
			if delivery.KindOf(err) != delivery.Invalid {
				t.Error(err)
			}
			return
		}
		if msg := w.Contradiction(s); msg != "" || why == "" {
			t.Errorf("the stack that was chosen (%s) does not fit: %s", why, msg)
		}
	})
}
