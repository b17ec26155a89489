package delivery

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that reads and writes as "90s", "10m", "1h30m", "90d".
type Duration time.Duration

// String writes whole days, of 24 hours, as days.
func (d Duration) String() string {
	if n := time.Duration(d); n > 0 && n%day == 0 {
		return strconv.FormatInt(int64(n/day), 10) + "d"
	}
	return time.Duration(d).String()
}

// Std returns d as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Or returns d, or def when d is zero.
func (d Duration) Or(def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return time.Duration(d)
}

func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *Duration) UnmarshalText(text []byte) error {
	v, err := parseDuration(string(text))
	if err != nil || v < 0 {
		return E(Invalid, fmt.Sprintf("%q is not a duration: write it like 90s, 10m, 1h30m or 90d", clip(string(text), 40)))
	}
	*d = Duration(v)
	return nil
}

func parseDuration(s string) (time.Duration, error) {
	days, ok := strings.CutSuffix(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseUint(days, 10, 16) // 65535 days are more than anybody needs
	return time.Duration(n) * day, err
}
