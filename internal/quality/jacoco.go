package quality

// jacoco reads https://www.jacoco.org/jacoco/trunk/coverage/report.dtd: per source
// file and line the instructions and branches that were missed and covered. A line
// is covered when one of its instructions is.
type jacoco struct {
	*coverage
	module, pack string
	source       uint64
}

func (j *jacoco) start(e element) error {
	switch {
	case e.name == "report" || e.name == "group":
		j.module = e.attr("name")
	case e.name == "package":
		j.pack = e.attr("name")
	case e.name == "sourcefile":
		j.source = source(j.module, j.pack, e.attr("name"))
	case e.name == "line" && e.parent == "sourcefile":
		return j.read(e)
	}
	return nil
}

func (j *jacoco) read(e element) error {
	var n [5]uint32
	for i, name := range [...]string{"nr", "mi", "ci", "mb", "cb"} {
		value := e.attr(name)
		if value == "" && i > 0 {
			continue // implied by the DTD
		}
		var err error
		if n[i], err = natural(value); err != nil {
			return err
		}
	}
	p := place{source: j.source, line: n[0]}
	if err := j.line(p, count{1, min(n[2], 1)}); err != nil {
		return err
	}
	if n[3]+n[4] == 0 {
		return nil
	}
	return j.branch(p, count{n[3] + n[4], n[4]})
}

func (j *jacoco) text([]byte)      {}
func (j *jacoco) end(string) error { return nil }
