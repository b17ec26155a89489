package quality

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxReportLine bounds a line of a report, in bytes.
const maxReportLine = 64 << 10

// eachLine calls do for the lines of a report that is plain text.
func eachLine(in io.Reader, do func(line string) error) error {
	s := bufio.NewScanner(in)
	s.Buffer(nil, maxReportLine)
	n := 0
	for s.Scan() {
		n++
		text := s.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if err := do(text); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	switch err := s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("line %d is longer than %d KiB", n+1, maxReportLine>>10)
	case err != nil:
		return err
	case n == 0:
		return errors.New("it is empty")
	}
	return nil
}
