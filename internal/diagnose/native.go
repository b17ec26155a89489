package diagnose

import (
	"path"
	"strings"
)

// native reads what npm repeats of node-gyp when a package's own code could not be
// compiled.
type native struct {
	name    string // of the package
	fetches string // the address that node-gyp asks
}

// gypNoise begins what node-gyp says of itself, and prebuild-install before it.
var gypNoise = []string{"prebuild-install ", "gyp info ", "gyp http ", "gyp WARN ", "gyp verb ", "gyp ERR! ", "make: ", "sh -c ", "(node:", "(Use `node ", "compilation terminated"}

// line returns the error that a line tells. ok: nothing else need look at it.
func (n *native) line(line string) (text string, about topic, ok bool) {
	rest, ok := ofNPM(line)
	if !ok {
		return "", "", false
	}
	if at, ok := strings.CutPrefix(rest, "path "); ok {
		*n = native{name: path.Base(at)}
		return "", "", true
	}
	if url, ok := strings.CutPrefix(rest, "gyp http GET "); ok {
		n.fetches = url
	}
	switch {
	case strings.HasPrefix(rest, "gyp ERR! stack is related to network connectivity") && n.fetches != "":
		return n.name + ": node-gyp could not fetch " + n.fetches, npm, true
	case strings.HasPrefix(rest, "Package ") && strings.HasSuffix(rest, "not found"): // pkg-config
		return n.name + ": " + rest, compile, true
	case rest != "" && isPosition(rest):
		return n.name + ": " + rest, compile, true
	}
	return "", "", startsWith(rest, gypNoise)
}
