package quality

import (
	"errors"
	"io"
)

// clover reads https://bitbucket.org/atlassian/clover (etc/schema/clover.xsd), of
// which PHPUnit and Istanbul write a part. Branches are taken from a file's
// metrics, since Istanbul's lines count them in another way.
type clover struct {
	*coverage
	project bool
	source  uint64
}

func readClover(in io.Reader, c *coverage) error {
	h := &clover{coverage: c}
	if err := walkXML(in, h, "coverage"); err != nil {
		return err
	}
	if !h.project {
		return errors.New("it has no <project>, so it is no Clover report")
	}
	return nil
}

func (c *clover) start(e element) error {
	switch {
	case e.name == "project":
		c.project = true
	case e.name == "file":
		c.source = source(e.attr("path"), e.attr("name"))
	case e.name == "line" && e.parent == "file" && e.attr("type") != "method":
		return c.read(e)
	case e.name == "metrics" && e.parent == "file" && e.attr("conditionals") != "":
		return c.metrics(e)
	}
	return nil
}

func (c *clover) read(e element) error {
	number, err := natural(e.attr("num"))
	if err != nil {
		return err
	}
	var n count
	for _, name := range [...]string{"count", "truecount", "falsecount"} {
		value := e.attr(name)
		if value == "" || name != "count" && e.attr("count") != "" {
			continue // Clover's own conditions have no count
		}
		x, err := one(value)
		if err != nil {
			return err
		}
		n = count{1, max(n.hit, x.hit)}
	}
	if n.all == 0 {
		return errors.New("a line has no count")
	}
	return c.line(place{source: c.source, line: number}, n)
}

func (c *clover) metrics(e element) error {
	all, err := natural(e.attr("conditionals"))
	if err != nil || all == 0 {
		return err
	}
	hit, err := natural(e.attr("coveredconditionals"))
	if err != nil {
		return err
	}
	return c.branch(place{source: c.source}, count{all, hit})
}

func (c *clover) text([]byte)      {}
func (c *clover) end(string) error { return nil }
