package checkup

import (
	"strconv"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Channel is how sending to one goes.
type Channel struct {
	Name string
	// Level is bad when the last message was refused for good, and a warning while it is
	// tried again.
	Level   delivery.Level
	Owed    int
	Refused int64
	// Why is what went wrong last.
	Why string
}

func (all *findings) channel(c Channel) {
	area := "channel " + c.Name
	args := delivery.Args{"channel": c.Name, "reason": c.Why, "owed": strconv.Itoa(c.Owed), "refused": strconv.FormatInt(c.Refused, 10)}
	switch c.Level {
	case delivery.LevelBad:
		all.add(c.Level, area, "doctor.channel_refused", args)
	case delivery.LevelWarn:
		all.add(c.Level, area, "doctor.channel_away", args)
	default:
		all.add(delivery.LevelOK, area, "doctor.channel", args)
	}
}
