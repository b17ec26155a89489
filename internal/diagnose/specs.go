package diagnose

import (
	"slices"
	"strings"
)

// specs reads how jest, vitest, mocha and PHPUnit say, for people, that a test failed:
//
//	● cart › throws                      FAIL  test/cart.test.js > cart > throws
//	  TypeError: text                   TypeError: text
//	  at total (src/cart.js:1:42)        ❯ src/cart.js:1:42
//
//	1) cart                             1) CartTest::testThrows
//	     throws:                        TypeError: text
//	   TypeError: text
//	    at total (src/cart.js:1:42)     /src/Cart.php:6
type specs struct {
	form  specForm
	name  string   // of the test
	lines []string // of its message, so far
	said  *entry   // the failure, whose place may follow
	done  bool     // its message is whole
	waits bool     // its message is not yet there
	sums  bool     // mocha has counted the failures, and tells of them
}

type specForm int

const (
	noSpec specForm = iota
	ofJest
	ofVitest
	ofMocha
	ofPHPUnit
)

const specLines = 3 // of a message that is one sentence in jest

var (
	vitestHead  = match("FAIL  ", `^ ?FAIL  (\S+)(?: > (.+)| \[ .+ \])?$`)
	jestHead    = match("● ", `^  ● (.+)$`)
	phpunitHead = match("::", `^\d+\) (\S+::\S.*)$`)
	mochaSum    = match(" failing", `^  \d+ failing$`)
	mochaHead   = match(") ", `^  \d+\) (.+)$`)
	vitestPlace = match(":", `^ ❯ (?:.* )?(\S+:\d+):\d+$|^  File: (\S+:\d+):\d+$`)
	phpunitFile = match(".php:", `^(\S+\.php:\d+)$`)
	// quoted is a line of the source below a message.
	quoted = match("|", `^\s*(?:>\s*)?\d*\s*\|`)
)

// line returns a failure that a line begins. ok: the line is of a failure, and nothing
// else need look at it.
func (s *specs) line(line string) (e *entry, ok bool) {
	if s.begins(line) {
		return nil, true
	}
	if s.form == noSpec {
		return nil, false
	}
	if s.placed(line) {
		return nil, true
	}
	text := strings.TrimSpace(line)
	switch {
	case s.form == ofMocha && !strings.HasSuffix(s.name, ":"):
		s.name += " > " + text // of the suites around it
		return nil, true
	case s.waits && text == "Details:":
		s.waits = false
		return nil, true
	case s.done || quoted(line) != nil || strings.HasPrefix(text, "at "):
		s.done = true
		return nil, false
	case s.form == ofJest && strings.HasPrefix(text, "Jest encountered an unexpected token"):
		s.waits = true // for the details: what comes before is the same for all
	}
	if s.waits {
		return nil, true
	}
	s.lines = append(s.lines, text)
	s.done = s.form != ofJest || len(s.lines) == specLines
	if s.said == nil {
		e = &entry{}
		s.said = e
	}
	s.said.text = plain(s.title() + strings.Join(s.lines, " "))
	return e, true
}

func (s *specs) title() string {
	if name := strings.TrimSuffix(s.name, ":"); name != "" {
		return name + ": "
	}
	return ""
}

// begins reads the line above a failure.
func (s *specs) begins(line string) bool {
	begin := func(form specForm, name string) bool {
		*s = specs{form: form, name: name, sums: s.sums}
		return true
	}
	if m := vitestHead(line); m != nil {
		return begin(ofVitest, m[2])
	}
	if m := jestHead(line); m != nil {
		return begin(ofJest, strings.TrimPrefix(m[1], "Test suite failed to run"))
	}
	if m := phpunitHead(line); m != nil {
		return begin(ofPHPUnit, m[1])
	}
	s.sums = s.sums || mochaSum(line) != nil
	if m := mochaHead(line); m != nil && s.sums {
		return begin(ofMocha, m[1])
	}
	return false
}

// placed reads the innermost place of the app's own.
func (s *specs) placed(line string) bool {
	place := ""
	switch s.form {
	case ofVitest:
		if m := vitestPlace(line); m != nil {
			place = m[1] + m[2]
		}
	case ofPHPUnit:
		if m := phpunitFile(line); m != nil {
			place = m[1]
		}
	}
	if place == "" || s.said == nil {
		return place != ""
	}
	if s.said.place == "" && foreign(place) == "" && !strings.HasPrefix(place, "/") {
		s.said.place = place
	}
	return true
}

// known tells that the same failure was said before: jest sums up at the end.
func known(list []*entry, e *entry) bool {
	return slices.ContainsFunc(list, func(other *entry) bool { return other != e && strings.HasPrefix(other.text, e.text) })
}
