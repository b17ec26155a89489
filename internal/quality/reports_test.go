package quality_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
	"github.com/shiplock/shiplock/internal/quality"
)

// samples are written by hand in the form of each tool.
var samples = map[string]string{
	"TEST-surefire.xml": quality.JUnit, "jest-junit.xml": quality.JUnit, "pytest.xml": quality.JUnit, "phpunit.xml": quality.JUnit,
	"jacoco.xml": quality.JaCoCo, "cobertura-python.xml": quality.Cobertura, "cobertura-coverlet.xml": quality.Cobertura,
	"cover.out": quality.GoCover, "lcov-c8.info": quality.LCOV, "lcov-nyc.info": quality.LCOV,
	"clover-phpunit.xml": quality.Clover, "clover-jest.xml": quality.Clover,
}

func add(t *testing.T, r *quality.Reports, name string) {
	t.Helper()
	if err := r.Add(samples[name], name, strings.NewReader(recorded(t, "reports/"+name))); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func TestJUnit(t *testing.T) {
	for name, want := range map[string]delivery.Tests{
		"TEST-surefire.xml": {Passed: 3, Failed: 2, Skipped: 1, Failures: []delivery.TestFailure{
			{Name: "com.example.shop.CartTest.totalsWithVat", Message: "CartTest.java:31: expected: <119.00> but was: <100.00>"},
			{Name: "com.example.shop.CartTest.ofNobody", Message: "Cart.java:18: java.lang.NullPointerException"},
		}},
		"jest-junit.xml": {Passed: 1, Failed: 1, Skipped: 1, Failures: []delivery.TestFailure{
			{Name: "cart sums up", Message: "cart.test.js:9: Error: expect(received).toBe(expected) // Object.is equality Expected: 3 Received: 2"},
		}},
		"pytest.xml": {Passed: 1, Failed: 2, Skipped: 1, Failures: []delivery.TestFailure{
			{Name: "tests.test_cart.test_sum[3-4]", Message: "assert 7 == 8 +  where 7 = total([3, 4])"},
			{Name: "tests.test_cart.test_db", Message: `failed on setup with "ConnectionRefusedError: [Errno 111] Connection refused"`},
		}},
		"phpunit.xml": {Passed: 1, Failed: 2, Skipped: 1, Failures: []delivery.TestFailure{
			{Name: "Tests.CartTest.testTotal", Message: "tests/CartTest.php:21: Failed asserting that 2 matches expected 3."},
			{Name: `Tests.CartTest.testVat with data set "food"`, Message: "tests/CartTest.php:33: Failed asserting that '7' contains \"19\"."},
		}},
	} {
		r := quality.Reports{Roots: diagnose.Roots{{Dir: "/src"}}}
		add(t, &r, name)
		if diff := cmp.Diff(&want, r.Tests()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if r.Coverage() != nil {
			t.Errorf("%s has coverage", name)
		}
	}
}

func TestCoverage(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  delivery.Coverage
	}{
		"jacoco":             {[]string{"jacoco.xml"}, delivery.Coverage{CoveredLines: 4, Lines: 6, CoveredBranches: 3, Branches: 4}},
		"coverage.py":        {[]string{"cobertura-python.xml"}, delivery.Coverage{CoveredLines: 4, Lines: 5, CoveredBranches: 1, Branches: 2}},
		"coverlet":           {[]string{"cobertura-coverlet.xml"}, delivery.Coverage{CoveredLines: 3, Lines: 4, CoveredBranches: 3, Branches: 4}},
		"go, two profiles":   {[]string{"cover.out"}, delivery.Coverage{CoveredLines: 6, Lines: 8}},
		"c8":                 {[]string{"lcov-c8.info"}, delivery.Coverage{CoveredLines: 3, Lines: 6, CoveredBranches: 1, Branches: 2}},
		"c8 and nyc":         {[]string{"lcov-c8.info", "lcov-nyc.info"}, delivery.Coverage{CoveredLines: 3, Lines: 7, CoveredBranches: 2, Branches: 6}},
		"phpunit":            {[]string{"clover-phpunit.xml"}, delivery.Coverage{CoveredLines: 3, Lines: 4}},
		"jest":               {[]string{"clover-jest.xml"}, delivery.Coverage{CoveredLines: 3, Lines: 4, CoveredBranches: 2, Branches: 3}},
		"the same twice":     {[]string{"jacoco.xml", "jacoco.xml"}, delivery.Coverage{CoveredLines: 4, Lines: 6, CoveredBranches: 3, Branches: 4}},
		"different programs": {[]string{"jacoco.xml", "lcov-c8.info"}, delivery.Coverage{CoveredLines: 7, Lines: 12, CoveredBranches: 4, Branches: 6}},
	} {
		var r quality.Reports
		for _, f := range c.files {
			add(t, &r, f)
		}
		if diff := cmp.Diff(&c.want, r.Coverage()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if r.Tests() != nil {
			t.Errorf("%s has tests", name)
		}
	}
}

// Workspaces of one repository have files of the same relative name.
func TestLCOVOfFolders(t *testing.T) {
	var r quality.Reports
	for _, path := range []string{"a/lcov.info", "b/lcov.info"} {
		if err := r.Add(quality.LCOV, path, strings.NewReader(recorded(t, "reports/lcov-nyc.info"))); err != nil {
			t.Fatal(err)
		}
	}
	if c := r.Coverage(); c == nil || c.Lines != 6 {
		t.Errorf("%+v", c)
	}
}

func TestBrokenReports(t *testing.T) {
	const suite, bomb = `<testsuite><testcase name="t"><failure message="m"/></testcase>`, `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>`
	for name, c := range map[string]struct{ format, text, want string }{
		"unknown format":     {"trx", "", "not known"},
		"empty":              {quality.JUnit, "", "empty"},
		"empty text":         {quality.LCOV, "", "empty"},
		"no XML":             {quality.JUnit, "Tests run: 3", "too early"},
		"cut off":            {quality.JUnit, suite, "too early"},
		"another document":   {quality.JUnit, "<html></html>", "<testsuites> or <testsuite>"},
		"bomb":               {quality.JUnit, bomb + "<testsuite>&b;</testsuite>", "document type"},
		"external entity":    {quality.JaCoCo, `<!DOCTYPE report [<!ENTITY x SYSTEM "file:///etc/passwd">]><report>&x;</report>`, "document type"},
		"unknown entity":     {quality.JUnit, "<testsuite>&x;</testsuite>", "entity"},
		"crossed tags":       {quality.JUnit, "<testsuite><a></b></testsuite>", "well-formed"},
		"too deep":           {quality.JUnit, "<testsuite>" + strings.Repeat("<a>", 100), "larger than any"},
		"too long a token":   {quality.JUnit, `<testsuite name="` + strings.Repeat("a", 9<<20), "larger than any"},
		"too many attrs":     {quality.JUnit, `<testsuite ` + strings.Repeat(`a="" `, 2<<20), "larger than any"},
		"UTF-16":             {quality.JUnit, "\xff\xfe<\x00a\x00", "UTF-16"},
		"no number":          {quality.JaCoCo, `<report><sourcefile name="a"><line nr="one"/></sourcefile></report>`, `"one"`},
		"negative":           {quality.JaCoCo, `<report><sourcefile name="a"><line nr="1" ci="-1"/></sourcefile></report>`, `"-1"`},
		"clover as other":    {quality.Cobertura, `<coverage><project/></coverage>`, "no Cobertura"},
		"cobertura as other": {quality.Clover, `<coverage><packages/></coverage>`, "no Clover"},
		"go without mode":    {quality.GoCover, "a.go:1.1,2.2 1 1\n", "mode"},
		"go block":           {quality.GoCover, "mode: set\na.go:1.1 1\n", "line 2"},
		"lcov outside":       {quality.LCOV, "DA:1,1\n", "outside"},
		"lcov cut off":       {quality.LCOV, "SF:a\nDA:1,1\n", "too early"},
		"not lcov":           {quality.LCOV, "hello\n", "no LCOV"},
		"endless line":       {quality.LCOV, strings.Repeat("a", 1<<20), "longer than"},
	} {
		var r quality.Reports
		err := r.Add(c.format, "f", strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
		if got := r.Tests(); name == "cut off" && (got == nil || got.Failed != 1) {
			t.Errorf("what was read before does not count: %+v", got)
		}
	}
}

// A report may name lines without end; memory is bounded all the same.
func TestManyPlacesAreRefused(t *testing.T) {
	var r quality.Reports
	err := r.Add(quality.LCOV, "f", io.MultiReader(strings.NewReader("SF:a\n"), &endless{}))
	if c := r.Coverage(); err == nil || c == nil || c.Lines != 1<<21 {
		t.Errorf("%v, %+v", err, c)
	}
}

// endless is an LCOV record of ever more lines.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	e.n++
	return copy(p, fmt.Sprintf("DA:%d,0\n", e.n)), nil
}

func TestEncodings(t *testing.T) {
	for name, c := range map[string]struct{ head, message, want string }{
		"UTF-8":        {`<?xml version="1.0" encoding="utf-8"?>`, "Größe 船", "Größe 船"},
		"none":         {"", "Größe", "Größe"},
		"latin":        {`<?xml version="1.0" encoding="ISO-8859-1"?>`, "Gr\xf6\xdfe", "Größe"},
		"GBK":          {`<?xml version="1.0" encoding="GBK"?>`, "a \xb4\xac\xd5\xa2 b", "a \ufffd\ufffd\ufffd\ufffd b"},
		"broken UTF-8": {"", "a\xffb", "a\ufffdb"},
		"controls":     {"", "a\x00\x1b[31mb", "a\ufffd\ufffd[31mb"},
	} {
		var r quality.Reports
		err := r.Add(quality.JUnit, "f", strings.NewReader(c.head+`<testsuite><testcase name="t"><failure message="`+c.message+`"/></testcase></testsuite>`))
		if err != nil || r.Tests().Failures[0].Message != c.want {
			t.Errorf("%s: %v, %+v", name, err, r.Tests())
		}
	}
}

func TestMasksBeforeCutting(t *testing.T) {
	r := quality.Reports{Mask: func(s string) string { return strings.ReplaceAll(s, "secret", "***") }}
	message := strings.Repeat("x", 297) + "secret"
	err := r.Add(quality.JUnit, "f", strings.NewReader(`<testsuite><testcase name="of secret"><error message="`+message+`"/></testcase></testsuite>`))
	if f := r.Tests().Failures[0]; err != nil || f.Name != "of ***" || strings.Contains(f.Message, "sec") {
		t.Errorf("%v, %+v", err, f)
	}
}

func TestFuller(t *testing.T) {
	few, many, red := &delivery.Tests{Passed: 1}, &delivery.Tests{Passed: 5}, &delivery.Tests{Passed: 4, Failed: 1}
	for _, c := range []struct{ a, b, want *delivery.Tests }{
		{nil, nil, nil}, {few, nil, few}, {nil, few, few}, {few, many, many}, {many, few, many}, {many, red, red}, {red, many, red},
	} {
		if got := quality.Fuller(c.a, c.b); got != c.want {
			t.Errorf("of %v and %v: %v", c.a, c.b, got)
		}
	}
}

// FuzzReports reads anything as every format.
func FuzzReports(f *testing.F) {
	files, err := filepath.Glob("testdata/reports/*")
	if err != nil || len(files) != len(samples) {
		f.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, format := range quality.Formats() {
			checkReport(t, format, string(input))
		}
	})
}

func checkReport(t *testing.T, format, input string) {
	var once, twice quality.Reports
	first := once.Add(format, "f", strings.NewReader(input))
	for range 2 {
		// In two pieces: nothing depends on how a file is read.
		if again := twice.Add(format, "f", io.MultiReader(strings.NewReader(input[:len(input)/2]), strings.NewReader(input[len(input)/2:]))); (again == nil) != (first == nil) {
			t.Fatalf("%s: %v, then %v", format, first, again)
		}
	}
	if diff := cmp.Diff(once.Coverage(), twice.Coverage()); diff != "" {
		t.Fatalf("%s: the same file twice covers more: %s", format, diff)
	}
	if c := once.Coverage(); c != nil && (c.CoveredLines < 0 || c.CoveredLines > c.Lines || c.CoveredBranches < 0 || c.CoveredBranches > c.Branches) {
		t.Fatalf("%s: %+v", format, c)
	}
	if n, m := once.Tests().Total(), twice.Tests().Total(); m != 2*n {
		t.Fatalf("%s: %d tests, then %d", format, n, m)
	}
	if s := once.Tests(); s != nil {
		for _, x := range s.Failures {
			if len(x.Name) > 210 || len(x.Message) > 310 {
				t.Fatalf("%s: unbounded failure %d/%d", format, len(x.Name), len(x.Message))
			}
		}
	}
}

func BenchmarkJaCoCo(b *testing.B) {
	var doc strings.Builder
	doc.WriteString(`<report name="m"><package name="p"><sourcefile name="A.java">`)
	for range 10_000 {
		doc.WriteString(`<line nr="17" mi="0" ci="3" mb="1" cb="1"/>`)
	}
	doc.WriteString(`</sourcefile></package></report>`)
	b.SetBytes(int64(doc.Len()))
	for b.Loop() {
		var r quality.Reports
		if err := r.Add(quality.JaCoCo, "f", strings.NewReader(doc.String())); err != nil {
			b.Fatal(err)
		}
	}
}
