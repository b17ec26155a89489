package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

func december() api.WindowMonth {
	m := api.WindowMonth{Month: "2026-12", Env: "prod", Action: delivery.ActionDeploy, Zone: "Asia/Shanghai", Windows: []string{"prod-hours"}}
	for d := 1; d <= 31; d++ {
		day := api.WindowDay{Date: fmt.Sprintf("2026-12-%02d", d)}
		switch wd := time.Date(2026, 12, d, 0, 0, 0, 0, time.UTC).Weekday(); {
		case d == 31:
			day.Open = []api.OpenSpan{{From: "00:00", Until: "24:00"}}
		case wd == time.Tuesday || wd == time.Thursday:
			day.Open = []api.OpenSpan{{From: "10:00", Until: "18:00"}}
		case wd == time.Friday:
			day.Open = []api.OpenSpan{{From: "00:00", Until: "02:00"}, {From: "09:30", Until: "11:00"}, {From: "12:00", Until: "13:00"}, {From: "22:00", Until: "24:00"}}
		}
		m.Days = append(m.Days, day)
	}
	return m
}

func TestMonth(t *testing.T) {
	const want = `2026-12  every app → prod, deploy  Asia/Shanghai

Mon        Tue        Wed        Thu        Fri        Sat        Sun
           1          2          3          4          5          6
           10–18      ·          10–18      00–02      ·          ·
                                            09:30–11
                                            +2
7          8          9          10         11         12         13
·          10–18      ·          10–18      00–02      ·          ·
                                            09:30–11
                                            +2
14         15         16         17         18         19         20
·          10–18      ·          10–18      00–02      ·          ·
                                            09:30–11
                                            +2
21         22         23         24         25         26         27
·          10–18      ·          10–18      00–02      ·          ·
                                            09:30–11
                                            +2
28         29         30         31
·          10–18      ·          all day

· is closed all day; else the times at which something may begin.
Windows about it: prod-hours`
	c := &console{}
	got := strings.Join(c.monthLines(december()), "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	c.lang = phrase.Chinese
	for i, line := range c.monthLines(december()) {
		if width(line) > 80 {
			t.Errorf("line %d is %d wide: %s", i, width(line), line)
		}
		if i == 2 && line != "周一       周二       周三       周四       周五       周六       周日" {
			t.Errorf("the head is %q", line)
		}
	}
}
