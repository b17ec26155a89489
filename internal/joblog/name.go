package joblog

import (
	"fmt"
	"regexp"
	"strconv"
)

const (
	sealName    = "sealed"
	archiveName = "log.zst"
	trashPrefix = ".trash-" // no attempt begins with a dot
)

var (
	attemptPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,198}[a-z0-9])?$`)
	writerPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	segmentPattern = regexp.MustCompile(`^([0-9]{19})-[a-z0-9][a-z0-9-]{0,39}\.log$`)
)

func checkAttempt(attempt string) error {
	if attemptPattern.MatchString(attempt) {
		return nil
	}
	return invalid("attempt %.80q: use at most 200 lower-case letters, digits and inner dashes", attempt)
}

// segmentName sorts by first line, then by writer.
func segmentName(first int64, writer string) string {
	return fmt.Sprintf("%019d-%s.log", first, writer)
}

// endWriter is in the name of the segment that has a log's last line, which is the
// finisher's.
const endWriter = "end"

func (s segment) isEnd() bool { return s.name == segmentName(s.first, endWriter) }

// parseSegmentName returns the number below which the segment has no record.
func parseSegmentName(name string) (first int64, ok bool) {
	m := segmentPattern.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	first, err := strconv.ParseInt(m[1], 10, 64)
	return first, err == nil && first >= 1
}
