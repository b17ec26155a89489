package quality

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
)

// Formats of report files.
const (
	JUnit     = "junit"     // XML of Surefire, jest-junit, pytest, PHPUnit and others
	JaCoCo    = "jacoco"    // JaCoCo's XML
	Cobertura = "cobertura" // Cobertura's XML, as of coverage.py and coverlet
	GoCover   = "go-cover"  // go test -coverprofile
	LCOV      = "lcov"      // lcov.info, as of c8, nyc and jest
	Clover    = "clover"    // Clover's XML, as of PHPUnit and jest
)

// Formats lists those of report files.
func Formats() []string { return []string{JUnit, JaCoCo, Cobertura, GoCover, LCOV, Clover} }

// errTooMuch refuses a report that would need too much memory.
var errTooMuch = errors.New("it is larger than any real report")

// Reports merges report files into one result. What several of them tell of the
// same source line counts once. The zero value is ready.
type Reports struct {
	// Roots are where the app's own code is; places below them are relative.
	Roots diagnose.Roots
	// Mask takes secrets out of names and messages, before they are cut; nil leaves
	// them as they are.
	Mask func(string) string

	tally    tally
	coverage coverage
}

// Add reads one file. The path tells files of the same name apart. When it fails,
// what was read until then counts; the error is for people.
func (r *Reports) Add(format, path string, in io.Reader) error {
	var err error
	switch format {
	case JUnit:
		err = walkXML(in, &junit{tally: &r.tally, roots: r.Roots, mask: r.Mask}, "testsuites", "testsuite")
	case JaCoCo:
		err = walkXML(in, &jacoco{coverage: &r.coverage}, "report")
	case Cobertura:
		err = readCobertura(in, &r.coverage)
	case GoCover:
		err = readGoCover(in, &r.coverage)
	case LCOV:
		err = readLCOV(in, path, &r.coverage)
	case Clover:
		err = readClover(in, &r.coverage)
	default:
		return fmt.Errorf("reports of format %q are not known here", format)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends too early")
	}
	return err
}

// Tests is the result of all files; nil when they have no test.
func (r *Reports) Tests() *delivery.Tests { return r.tally.Summary() }

// Coverage is what all files cover together; nil when no line was measured.
func (r *Reports) Coverage() *delivery.Coverage { return r.coverage.sum() }

// Fuller chooses between two results of the same tests: the one of more tests, or
// else of more failures, or else the first. Either may be nil.
func Fuller(a, b *delivery.Tests) *delivery.Tests {
	switch n := b.Total() - a.Total(); {
	case n > 0, n == 0 && b != nil && (a == nil || b.Failed > a.Failed):
		return b
	}
	return a
}

// oneLine is the telling part of a message: up to the stack, on one line.
func oneLine(message string) string {
	var parts []string
	size := 0
	for line := range strings.Lines(message) {
		line = strings.TrimSpace(line)
		if len(parts) > 0 && (strings.HasPrefix(line, "at ") || size > maxMessage) {
			break
		}
		if line != "" {
			parts = append(parts, line)
			size += len(line)
		}
	}
	return strings.Join(parts, " ")
}
