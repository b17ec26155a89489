package delivery

import (
	"fmt"
	"time"
)

// ClockTime is a time of day in minutes after midnight, which reads and writes as
// "08:30".
type ClockTime int

func (c ClockTime) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

func (c ClockTime) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c *ClockTime) UnmarshalText(text []byte) error {
	at, err := time.Parse("15:04", string(text))
	if err != nil || len(text) != len("15:04") {
		return E(Invalid, fmt.Sprintf("%q is not a time of day: write it like 08:30", clip(string(text), 40)))
	}
	*c = ClockTime(at.Hour()*60 + at.Minute())
	return nil
}

// on returns this time on the day of another one, in its zone.
func (c ClockTime) on(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), int(c)/60, int(c)%60, 0, 0, day.Location())
}
