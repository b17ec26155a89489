package diagnose

import "strings"

// spring reads Spring Boot's report of an app that could not start:
//
//	APPLICATION FAILED TO START
//
//	Description:
//
//	Web server failed to start. Port 8080 was already in use.
type spring int

const (
	springQuiet spring = iota
	springFailed
	springDescribes
)

// line tells whether a line is the description, which is the first one below its
// heading.
func (s *spring) line(line string) bool {
	switch {
	case line == "APPLICATION FAILED TO START":
		*s = springFailed
	case *s == springFailed && line == "Description:":
		*s = springDescribes
	case *s == springDescribes && !strings.HasPrefix(line, "***"):
		*s = springQuiet
		return true
	}
	return false
}
