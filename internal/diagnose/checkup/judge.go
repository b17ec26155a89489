package checkup

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// slow is for a database's answer to one small question.
	slow = 500 * time.Millisecond
	// skewed clocks make windows open at the wrong time, and logs hard to follow. An API
	// server tells the second only.
	skewed = 5 * time.Second
	// A disk is scarce below the less of these two, and nearly full likewise.
	scarcePart, scarceBytes = 0.10, 10 << 30
	fullPart, fullBytes     = 0.02, 1 << 30
	// crowded is the part of a quota that is used.
	crowded = 0.9
)

// Judge says what was found, area by area.
func Judge(f Facts) []delivery.Finding {
	var all findings
	all.database(f.Database)
	all.disk(f.Disk)
	all.registry(f.Registry)
	all.builds(f)
	for _, c := range f.Clusters {
		all.cluster(c)
	}
	if f.InPod {
		for _, env := range f.Local {
			all.add(delivery.LevelWarn, "environment "+env, "doctor.inside", delivery.Args{"env": env})
		}
	}
	all.hooks(f.Hooks)
	for _, c := range f.Channels {
		all.channel(c)
	}
	for _, m := range f.Calendars {
		all = append(all, delivery.Finding{Level: delivery.LevelWarn, Area: "calendar " + m.Calendar, Found: m.Cause()})
	}
	return all
}

// Reached says what is seen from outside.
func Reached(a Answer) []delivery.Finding {
	var all findings
	all.add(delivery.LevelOK, "server", "doctor.server", delivery.Args{"version": a.Server, "took": brief(a.Took)})
	if a.Server != a.Client {
		all.add(delivery.LevelWarn, "server", "doctor.version", delivery.Args{"server": a.Server, "client": a.Client})
	}
	all.clock("server", "doctor.clock", a.Skew)
	return all
}

// Worst is the level of the worst finding.
func Worst(all []delivery.Finding) delivery.Level {
	worst := delivery.LevelOK
	for _, f := range all {
		if f.Level == delivery.LevelBad || worst == delivery.LevelOK {
			worst = f.Level
		}
	}
	return worst
}

type findings []delivery.Finding

func (all *findings) add(level delivery.Level, area, code string, args delivery.Args) {
	*all = append(*all, delivery.Finding{Level: level, Area: area, Found: delivery.Because(code, args)})
}

func (all *findings) clock(area, code string, skew time.Duration) {
	if skew.Abs() > skewed {
		all.add(delivery.LevelWarn, area, code, delivery.Args{"area": area, "skew": brief(skew.Abs())})
	}
}

func (all *findings) database(d Database) {
	args := delivery.Args{"kind": d.Kind, "took": brief(d.Took)}
	switch {
	case d.Err != nil:
		args["reason"] = line(d.Err)
		all.add(delivery.LevelBad, "database", "doctor.database_away", args)
	case d.Took > slow:
		all.add(delivery.LevelWarn, "database", "doctor.database_slow", args)
	default:
		all.add(delivery.LevelOK, "database", "doctor.database", args)
	}
}

func (all *findings) disk(d Disk) {
	if d.Err != nil || d.Total == 0 {
		all.add(delivery.LevelWarn, "disk", "doctor.disk_unknown", delivery.Args{"path": d.Path, "reason": line(d.Err)})
		return
	}
	args := delivery.Args{"path": d.Path, "free": delivery.ByteSize(d.Free), "total": delivery.ByteSize(d.Total)}
	free, total := float64(d.Free), float64(d.Total)
	switch {
	case free < min(fullPart*total, fullBytes):
		all.add(delivery.LevelBad, "disk", "doctor.disk_low", args)
	case free < min(scarcePart*total, scarceBytes):
		all.add(delivery.LevelWarn, "disk", "doctor.disk_low", args)
	default:
		all.add(delivery.LevelOK, "disk", "doctor.disk", args)
	}
}

func (all *findings) registry(r Registry) {
	if r.Err != nil {
		all.add(delivery.LevelBad, "registry", "doctor.registry_refused", delivery.Args{"registry": r.Address, "reason": line(r.Err)})
		return
	}
	all.add(delivery.LevelOK, "registry", "doctor.registry", delivery.Args{"registry": r.Address})
}

func (all *findings) hooks(h Hooks) {
	for _, r := range h.Refused {
		all.add(delivery.LevelWarn, "hooks", "doctor.hooks_refused", delivery.Args{"count": strconv.FormatInt(r.Count, 10), "forge": r.Forge, "reason": r.Why})
	}
	for _, r := range h.Failing {
		all.add(delivery.LevelWarn, "hooks", "doctor.repository", delivery.Args{"repo": r.Repo, "reason": r.Why})
	}
	if len(h.Silent) > 0 {
		all.add(delivery.LevelWarn, "hooks", "doctor.hooks_silent", delivery.Args{"apps": some(h.Silent)})
	}
	if len(h.Refused)+len(h.Failing)+len(h.Silent) == 0 {
		all.add(delivery.LevelOK, "hooks", "doctor.hooks", nil)
	}
}

// some are the first few of many.
func some(names []string) string {
	const shown = 5
	if n := len(names) - shown; n > 0 {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(", … (+%d)", n)
	}
	return strings.Join(names, ", ")
}

// line is an error in one line of bearable length.
func line(err error) string {
	if err == nil {
		return ""
	}
	const most = 300
	text := []rune(strings.Join(strings.Fields(err.Error()), " "))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// brief is a time that people can read at a glance.
func brief(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
