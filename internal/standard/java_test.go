//go:build e2e

package standard

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeMaven notes what it is told, and makes the archives of ../made at "package".
const fakeMaven = `#!/bin/sh
echo "$(pwd -P): $*" >>"$TMPDIR/told"
case " $* " in *" package "*) cp -R "$TMPDIR/made/." . ;; esac
`

// javaProject is a Java app's folder in a repository, with a fake Maven.
type javaProject struct {
	workspace
	top, tmp string
}

// newJavaProject lays files out; the app is in the folder named app, and archives are
// what Maven makes, relative to where it runs.
func newJavaProject(t *testing.T, stack, app string, files map[string]string, archives map[string][]byte) javaProject {
	t.Helper()
	all := map[string][]byte{".git/HEAD": nil}
	for name, text := range files {
		all[name] = []byte(text)
	}
	w := newWorkspace(t, stack, all)
	top, tmp := w.dir, t.TempDir()
	w.dir = filepath.Join(top, app)
	w.env = append(w.env, "TMPDIR="+tmp, "HOME="+tmp, "JAVA_HOME=", "PATH="+tmp+"/bin:"+os.Getenv("PATH"), "GIT_CEILING_DIRECTORIES="+filepath.Dir(top))
	write := func(name string, data []byte, mode os.FileMode) {
		path := filepath.Join(tmp, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("bin/mvn", []byte(fakeMaven), 0o755)
	write("bin/git", []byte("#!/bin/sh\ncase $* in *show-toplevel) echo '"+top+"' ;; *) echo 1700000000 ;; esac\n"), 0o755)
	for name, data := range archives {
		write("made/"+name, data, 0o644)
	}
	return javaProject{w, top, tmp}
}

// told returns the calls of Maven, with the folder relative to the repository.
func (p javaProject) told() []string {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.tmp, "told"))
	if err != nil {
		p.t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), p.top+"/", "/")
	return strings.Split(strings.TrimSpace(strings.ReplaceAll(text, p.top, "")), "\n")
}

// made lists what is in start_env.
func (p javaProject) made() string {
	p.t.Helper()
	var names []string
	for _, line := range p.output() {
		name, _, _ := strings.Cut(line, " ")
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// jar makes an archive of empty files; the first argument is its Main-Class.
func jar(t *testing.T, main string, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	manifest := "Manifest-Version: 1.0\r\n"
	if main != "" {
		manifest += "Main-Class: " + main + "\r\n"
	}
	for _, name := range append([]string{"META-INF/MANIFEST.MF"}, files...) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "META-INF/MANIFEST.MF" {
			if _, err := w.Write([]byte(manifest + "\r\n")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const plainPOM, depPOM = "<project></project>\n", "<project><dependencies><dependency><groupId>a</groupId></dependency></dependencies></project>\n"

func TestJavaRecipeFindsTheReactor(t *testing.T) {
	for name, c := range map[string]struct {
		app   string
		files map[string]string
		want  string
	}{
		"one module":     {"", map[string]string{"pom.xml": plainPOM}, ": -B "},
		"in a reactor":   {"web", map[string]string{"pom.xml": "<modules>\n <module> web </module></modules>", "web/pom.xml": plainPOM}, ": -pl web -am -B "},
		"in an inner":    {"a/b", map[string]string{"pom.xml": "<module>a</module>", "a/pom.xml": "<module>b</module>", "a/b/pom.xml": plainPOM}, ": -pl a/b -am -B "},
		"folder between": {"x/b", map[string]string{"pom.xml": "<module>x/b</module>", "x/b/pom.xml": plainPOM}, ": -pl x/b -am -B "},
		"by itself":      {"web", map[string]string{"pom.xml": "<module>other</module>", "web/pom.xml": plainPOM}, "/web: -B "},
		"by the wrapper": {"", map[string]string{"pom.xml": plainPOM, "mvnw": "echo \"wrapper: $*\" >>\"$TMPDIR/told\"\n", ".mvn/wrapper/maven-wrapper.properties": ""}, "wrapper: -B "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newJavaProject(t, "java-17", c.app, c.files, nil)
			p.must("setup")
			p.must("compile")
			if told := p.told(); len(told) != 1 || !strings.HasPrefix(told[0], c.want) || !strings.HasSuffix(told[0], " -Dproject.build.outputTimestamp=1700000000 test-compile") {
				t.Errorf("Maven is told %q, want %q", told, c.want)
			}
		})
	}
}

func TestJavaRecipeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nothing":           {map[string]string{"README": ""}, "error: neither pom.xml nor build.gradle here"},
		"Gradle by nothing": {map[string]string{"build.gradle": ""}, "error: a Gradle project without ./gradlew"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out, err := newJavaProject(t, "java-17", "", c.files, nil).step("setup"); err == nil || !strings.Contains(out, c.want) {
				t.Errorf("setup: %v, want %q in:\n%s", err, c.want, out)
			}
		})
	}
}

// Coverage is measured by JaCoCo of ours, unless the project has its own.
func TestJavaRecipeMeasuresCoverage(t *testing.T) {
	for pom, want := range map[string]string{
		plainPOM: " org.jacoco:jacoco-maven-plugin:0.8.14:prepare-agent test org.jacoco:jacoco-maven-plugin:0.8.14:report",
		"<project><artifactId>jacoco-maven-plugin</artifactId></project>": "1700000000 test",
	} {
		p := newJavaProject(t, "java-17", "", map[string]string{"pom.xml": pom}, nil)
		p.must("setup")
		p.must("test")
		if told := p.told(); !strings.HasSuffix(told[0], want) {
			t.Errorf("Maven is told %q, want %q", told, want)
		}
	}
}

func TestJavaRecipePackages(t *testing.T) {
	for name, c := range map[string]struct {
		pom      string
		archives map[string][]byte
		sources  map[string]string
		want     string // in start_env, or in the output of a failing step
	}{
		"plain": {plainPOM, map[string][]byte{"target/x-1.jar": jar(t, "a.Main"), "target/x-1-sources.jar": jar(t, "a.Main")}, nil, "app.jar main-class"},
		"boot":  {depPOM, map[string][]byte{"target/x.jar": jar(t, "org.springframework.boot.loader.JarLauncher", "BOOT-INF/lib/a.jar")}, nil, "app.jar"},
		"war":   {plainPOM, map[string][]byte{"target/x.war": jar(t, "org.springframework.boot.loader.WarLauncher")}, nil, "app.war"},
		"thin with libraries": {
			depPOM, map[string][]byte{"target/x.jar": jar(t, "a.Main", "a/Main.class"), "target/shiplock-lib/l.jar": jar(t, "", "l/L.class")}, nil, "app.jar lib/l.jar main-class",
		},
		"fat": {
			depPOM, map[string][]byte{"target/x.jar": jar(t, "a.Main", "a/Main.class", "l/L.class"), "target/shiplock-lib/l.jar": jar(t, "", "l/L.class")}, nil, "app.jar main-class",
		},
		"of two the one with everything": {
			plainPOM, map[string][]byte{"target/x.jar": jar(t, "a.Main"), "target/x-all.jar": jar(t, "a.Main", "much/Much.class")}, nil, "app.jar main-class",
		},
		"main class in the sources": {plainPOM, map[string][]byte{"target/x.jar": jar(t, "")}, map[string]string{"src/main/java/a/Main.java": "  public static void main(String[] args) {"}, "app.jar main-class"},
		"a start script of its own": {plainPOM, map[string][]byte{"target/x.jar": jar(t, "")}, map[string]string{"start.sh": "exec java -cp app.jar a.B"}, "app.jar start.sh"},
		"a library":                 {plainPOM, map[string][]byte{"target/x.jar": jar(t, "")}, nil, "error: x.jar says no Main-Class"},
		"nothing":                   {plainPOM, map[string][]byte{"target/x.txt": nil}, nil, "error: the build made neither a jar nor a war"},
		"several apps": {
			plainPOM, map[string][]byte{"a/target/x.jar": jar(t, "a.Main"), "b/target/x.jar": jar(t, "b.Main"), "c/target/l.jar": jar(t, "")}, nil,
			"error: several modules make an app: set the App's path to one of a b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"pom.xml": c.pom}
			for path, text := range c.sources {
				files[path] = text
			}
			p := newJavaProject(t, "java-17", "", files, c.archives)
			p.must("setup")
			out, err := p.step("package")
			if strings.HasPrefix(c.want, "error: ") {
				if err == nil || !strings.Contains(out, c.want) {
					t.Errorf("package: %v, want %q in:\n%s", err, c.want, out)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if got := p.made(); got != c.want {
				t.Errorf("start_env has %s, want %s\n%s", got, c.want, out)
			}
		})
	}
}

// A project that does not say for which Java it is gets the stack's.
func TestJavaRecipeCompilesForItsVersion(t *testing.T) {
	p := newJavaProject(t, "java-8", "", map[string]string{"pom.xml": plainPOM}, nil)
	p.must("setup")
	p.must("compile")
	if told := p.told()[0]; !strings.Contains(told, " -Dmaven.compiler.source=8 -Dmaven.compiler.target=8 ") {
		t.Errorf("Maven is told %q", told)
	}
}

// The start script hands the environment's name on, and takes JAVA_OPTS instead of
// its own options.
func TestJavaStart(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		env   string
		want  []string
	}{
		"fat": {map[string]string{"app.jar": ""}, "A=1", []string{"profile=dev port=8123", "-XX:+ExitOnOutOfMemoryError", "-jar app.jar"}},
		"own options": {
			map[string]string{"app.jar": "", "main-class": "a.Main\n"}, "JAVA_OPTS=-Xmx64m -Da=b", []string{"profile=dev port=8123", "-Xmx64m -Da=b -cp app.jar:lib/* a.Main"},
		},
		"war": {map[string]string{"app.war": ""}, "SPRING_PROFILES_ACTIVE=x,y", []string{"profile=x,y port=8123", "-jar app.war"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{"start.sh": []byte(builtins(t).Stacks["java-17"].Runtime.Start)}
			for path, text := range c.files {
				files[path] = []byte(text)
			}
			w := newWorkspace(t, "java-17", files)
			fake := "#!/bin/sh\necho \"profile=$SPRING_PROFILES_ACTIVE port=$SERVER_PORT\" \"$@\"\n"
			if err := os.MkdirAll(filepath.Join(w.dir, "jdk/bin"), 0o755); err != nil {
				t.Fatal(err)
			}
			for path, text := range map[string]string{"jdk/bin/java": fake, "jdk/release": "JAVA_VERSION=\"17.0.1\"\n"} {
				if err := os.WriteFile(filepath.Join(w.dir, path), []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			out := w.run([]string{"sh", "start.sh", "dev"}, "PORT=8123", "JAVA_HOME="+w.dir+"/jdk", c.env)
			if slices.ContainsFunc(c.want, func(part string) bool { return !strings.Contains(out, part) }) {
				t.Errorf("java is told %q, want %q", out, c.want)
			}
		})
	}
}
