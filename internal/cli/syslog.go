package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// Priorities of RFC 5424: facility 13 (log audit), severity 6 (informational) and
	// 4 (warning).
	priorityDone    = 13*8 + 6
	priorityRefused = 13*8 + 4
	// maxSyslog bounds a message in bytes. Receivers need take no more than 2048, and
	// most take 8 KiB.
	maxSyslog = 8 << 10
	// syslogData names the structured data; the number is the one for documentation,
	// since Shiplock has none of its own.
	syslogData = "shiplock@32473"
)

// syslogLine is a record as a message of RFC 5424, in one line. Nothing that somebody
// wrote into an entry can end the line or a field.
func syslogLine(r delivery.AuditRecord, host string) (string, error) {
	var e delivery.AuditEntry
	if err := json.Unmarshal(r.Entry, &e); err != nil {
		return "", fmt.Errorf("audit entry %d: %w", r.Seq, err)
	}
	priority := priorityDone
	if e.Refused {
		priority = priorityRefused
	}
	head := fmt.Sprintf("<%d>1 %s %s shiplock - %s [%s seq=\"%d\" hash=\"%s\"%s]", priority,
		e.At.UTC().Format("2006-01-02T15:04:05.000Z"), word5424(host, 255), word5424(string(e.Command), 32), syslogData, r.Seq, field5424(r.Hash),
		fields5424("actor", e.Actor.String(), "command", string(e.Command), "subject", e.Subject, "rule", e.Rule, "address", e.Address))
	text := string(r.Entry)
	if len(head)+len(text) >= maxSyslog {
		e.Changes = nil
		short, err := json.Marshal(e)
		if err != nil {
			return "", err
		}
		text = string(short)
	}
	return head + " " + printable(text), nil
}

// word5424 is a header field: printable ASCII without spaces, "-" for nothing.
func word5424(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
	return cmp.Or(s[:min(len(s), most)], "-")
}

// fields5424 writes parameters that have a value.
func fields5424(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(&b, ` %s="%s"`, pairs[i], field5424(pairs[i+1]))
		}
	}
	return b.String()
}

// maxField bounds a parameter's value, in bytes.
const maxField = 512

var escape5424 = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)

func field5424(s string) string {
	if len(s) > maxField {
		s = strings.ToValidUTF8(s[:maxField], "") + "…"
	}
	return escape5424.Replace(printable(s))
}

// printable replaces what would break a line or steer a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// since reads an age, such as 24h or 7d, or a time.
func since(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, nil
	}
	var d delivery.Duration
	if err := d.UnmarshalText([]byte(text)); err != nil || d <= 0 {
		return time.Time{}, delivery.E(delivery.Invalid, "--since is an age such as 24h or 30d, a day such as 2026-03-01, or a time such as 2026-03-01T09:00:00Z")
	}
	return now.Add(-d.Std()), nil
}
