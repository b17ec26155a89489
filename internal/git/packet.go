package git

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// maxPacket is the longest packet that git sends, its length's four digits included.
const maxPacket = 65520

// packet frames a line as gitprotocol-common has it.
func packet(line string) string { return fmt.Sprintf("%04x%s", len(line)+4, line) }

// packets reads packets until the end, and hands on each line without its line break.
// Markers between them (flush, delimiter, end) are skipped. It holds one packet in
// memory at a time.
func packets(r io.Reader, each func(line string) error) error {
	in := bufio.NewReader(r)
	buf := make([]byte, maxPacket)
	for {
		if _, err := io.ReadFull(in, buf[:4]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return brokenOff(err)
		}
		n, err := strconv.ParseUint(string(buf[:4]), 16, 32)
		switch {
		case err != nil || n == 3 || n > maxPacket:
			return odd("a packet of no length")
		case n < 4:
			continue
		}
		body := buf[:n-4]
		if _, err := io.ReadFull(in, body); err != nil {
			return brokenOff(err)
		}
		if err := each(strings.TrimSuffix(string(body), "\n")); err != nil {
			return err
		}
	}
}

func brokenOff(err error) error { return delivery.Wrap(delivery.Unavailable, msgDown, err) }

func odd(what string) error {
	return delivery.E(delivery.Unavailable, "the repository's server answered "+what+", which is not git's protocol; check the App's repository")
}
