package delivery

import (
	"fmt"
	"time"
)

// Moment is a time.Time that people write with its zone: "2026-12-01T09:00:00+08:00".
type Moment struct{ time.Time }

func (m *Moment) UnmarshalText(text []byte) error {
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return E(Invalid, fmt.Sprintf("%q is no time with its zone: write it like 2026-12-01T09:00:00+08:00", clip(string(text), 40)))
	}
	m.Time = at
	return nil
}
