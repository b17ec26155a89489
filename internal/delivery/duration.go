package delivery

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that reads and writes as "90s", "10m", "1h30m".
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).String() }

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
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return E(Invalid, fmt.Sprintf("%q is not a duration: write it like 90s, 10m or 1h30m", clip(string(text), 40)))
	}
	*d = Duration(v)
	return nil
}
