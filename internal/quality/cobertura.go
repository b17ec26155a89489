package quality

import (
	"errors"
	"io"
	"strings"
)

// cobertura reads https://github.com/cobertura/web/blob/master/htdocs/xml/coverage-04.dtd.
// A line stands below its class and below its method; a file may have several
// classes.
type cobertura struct {
	*coverage
	root     string // the first source folder; names are relative to it
	inRoot   bool
	packages bool
	source   uint64
}

func readCobertura(in io.Reader, c *coverage) error {
	h := &cobertura{coverage: c}
	if err := walkXML(in, h, "coverage"); err != nil {
		return err
	}
	if !h.packages {
		return errors.New("it has no <packages>, so it is no Cobertura report")
	}
	return nil
}

func (c *cobertura) start(e element) error {
	switch e.name {
	case "packages":
		c.packages = true
	case "source":
		c.inRoot = c.root == ""
	case "class":
		c.source = source(c.root, e.attr("filename"))
	case "line":
		return c.read(e)
	}
	return nil
}

func (c *cobertura) read(e element) error {
	number, err := natural(e.attr("number"))
	if err != nil {
		return err
	}
	n, err := one(e.attr("hits"))
	if err != nil {
		return err
	}
	p := place{source: c.source, line: number}
	if err := c.line(p, n); err != nil {
		return err
	}
	// condition-coverage is like "50% (1/2)".
	_, of, ok := strings.Cut(e.attr("condition-coverage"), "(")
	if !ok || !strings.EqualFold(e.attr("branch"), "true") {
		return nil
	}
	part, whole, _ := strings.Cut(strings.TrimSuffix(of, ")"), "/")
	hit, err := natural(part)
	if err != nil {
		return err
	}
	all, err := natural(whole)
	if err != nil {
		return err
	}
	return c.branch(p, count{all, hit})
}

func (c *cobertura) text(b []byte) {
	if c.inRoot && len(c.root) < maxBody {
		c.root += string(b[:min(len(b), maxBody)])
	}
}

func (c *cobertura) end(name string) error {
	if name == "source" {
		c.inRoot = false
	}
	return nil
}
