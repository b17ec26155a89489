package cli

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

var rfc5424 = regexp.MustCompile(`^<1(10|08)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [!-~]{1,255} shiplock - [!-~]{1,32} \[shiplock@32473( [a-z]+="([^"\\\]]|\\["\\\]])*")+\] \S.*$`)

func record(t *testing.T, e delivery.AuditEntry) delivery.AuditRecord {
	t.Helper()
	doc, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return delivery.AuditRecord{Seq: 7, Hash: delivery.AuditHash(delivery.NoAudit, 7, doc), Entry: doc}
}

// Whoever chooses a name or a reason can neither begin another message nor leave a
// field.
func TestSyslogLineIsOneLine(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 5e6, time.UTC)
	for _, evil := range []string{
		"ann", "", "a\nb", "a\r\n<110>1 2026-03-01T09:00:00Z h shiplock - log-in - forged", `a"] forged [x y="`, `a\`, "\x00\x07\x1b[31mred\x1b[0m",
		"a\u2028b\u202eevil", "\xff\xfe", strings.Repeat("long ", 5000), "中文名", "] [", "\u009b31m",
	} {
		for _, refused := range []bool{false, true} {
			e := delivery.AuditEntry{
				At: at, Actor: delivery.Actor{Kind: delivery.ActorUser, Name: evil}, Command: delivery.Command("run " + evil), Subject: evil,
				Rule: evil, Detail: evil, Address: evil, Refused: refused, Changes: []delivery.Difference{{Field: evil, To: strings.Repeat(evil, 3)}},
			}
			line, err := syslogLine(record(t, e), "host "+evil)
			if err != nil {
				t.Fatal(err)
			}
			if !rfc5424.MatchString(line) || strings.ContainsFunc(line, func(r rune) bool {
				return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u202e' || r >= 0x80 && r < 0xa0
			}) {
				t.Errorf("%q makes %q", evil, line)
			}
			if want := map[bool]string{false: "<110>", true: "<108>"}[refused]; !strings.HasPrefix(line, want) {
				t.Errorf("%q begins otherwise than %s", line[:10], want)
			}
			if strings.Count(line, "<110>1 ") > 1 && !strings.Contains(evil, "forged") {
				t.Errorf("%q makes more than one message", evil)
			}
		}
	}
}

func TestSince(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "24h": now.Add(-24 * time.Hour), "30d": now.Add(-720 * time.Hour),
		"2026-03-01": time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "2026-03-01T09:00:00+08:00": time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC),
	} {
		if got, err := since(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	for _, bad := range []string{"yesterday", "-1h", "0s", "2026-13-01"} {
		if _, err := since(bad, now); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
