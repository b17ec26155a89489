package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

func TestWindowsAreShown(t *testing.T) {
	w := newWorld(t)
	var diff catalog.Diff
	w.ok("POST", "/api/v1/catalog", api.Apply{Manager: "windows", Documents: []api.Document{
		{Kind: "Window", Name: "hours", Spec: json.RawMessage(`{"kind":"allow","zone":"Asia/Shanghai","calendar":"china","notOn":["before-holiday"],"scope":{"environments":["prod"]},"weekly":[{"days":["tue","thu"],"start":"10:00","end":"18:00"}]}`)},
		{Kind: "Window", Name: "pay", Spec: json.RawMessage(`{"kind":"deny","zone":"UTC","scope":{"apps":["pay*"]},"once":[{"from":"2026-12-01","until":"2026-12-31"}]}`)},
	}}, &diff)
	c := client.New(w.url, w.token)
	windows, err := c.Windows(t.Context(), client.Filter{})
	w.must(err)
	if all := windows.Items; len(all) != 2 || all[0].Name != "hours" || all[0].When != "tue,thu 10:00–18:00; not on before-holiday" || all[0].Manager != "windows" {
		t.Errorf("windows: %+v", all)
	}
	calendars, err := c.Calendars(t.Context(), client.Filter{})
	w.must(err)
	if all := calendars.Items; len(all) != 1 || all[0].Name != "china" || len(all[0].Windows) != 1 || all[0].Manager != catalog.BuiltinManager {
		t.Errorf("calendars: %+v", all)
	}

	check, err := c.CheckWindow(t.Context(), "shop", "prod", "2026-12-02T00:00:00Z", "restart")
	w.must(err)
	if !check.Closed || !check.NextOpen.Equal(time.Date(2026, 12, 3, 2, 0, 0, 0, time.UTC)) || check.Says.Text != "closed by Window/hours until Thu 2026-12-03 10:00 Asia/Shanghai" || len(check.Windows) != 1 {
		t.Errorf("check: %+v", check)
	}
	if len(check.Warnings) != 1 || !strings.Contains(check.Warnings[0].Text, "does not have 2027") {
		t.Errorf("warnings: %+v", check.Warnings)
	}
	if in, err := c.In("zh").CheckWindow(t.Context(), "shop", "prod", "2026-12-02T00:00:00Z", ""); err != nil || in.Says.Text != "被 Window/hours 关闭到 周四 2026-12-03 10:00 Asia/Shanghai" {
		t.Errorf("in Chinese: %+v, %v", in.Says, err)
	}
	if open, err := c.CheckWindow(t.Context(), "shop", "dev", "", ""); err != nil || open.Closed || open.Action != delivery.ActionDeploy {
		t.Errorf("dev: %+v, %v", open, err)
	}

	month, err := c.WindowMonth(t.Context(), "2026-09", "prod", "", "", "")
	w.must(err)
	days := map[string]string{}
	for _, d := range month.Days {
		days[d.Date] = "closed"
		if len(d.Open) > 0 {
			days[d.Date] = d.Open[0].From + "-" + d.Open[0].Until
		}
	}
	if month.Zone != "Asia/Shanghai" || len(days) != 30 || days["2026-09-22"] != "10:00-18:00" || days["2026-09-24"] != "closed" || days["2026-09-23"] != "closed" {
		t.Errorf("September: %s %v", month.Zone, days)
	}
	shifted, err := c.WindowMonth(t.Context(), "2026-09", "prod", "shop", "deploy", "Pacific/Auckland")
	w.must(err)
	if d := shifted.Days[21]; d.Date != "2026-09-22" || d.Open[0] != (api.OpenSpan{From: "14:00", Until: "22:00"}) {
		t.Errorf("in another zone: %+v", d)
	}
}

func TestBadQuestionsAboutWindows(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]int{
		"/api/v1/targets/nope/prod/window":                                   http.StatusNotFound,
		"/api/v1/targets/shop/nope/window":                                   http.StatusNotFound,
		"/api/v1/targets/shop/prod/window?action=explode":                    http.StatusUnprocessableEntity,
		"/api/v1/targets/shop/prod/window?at=tomorrow":                       http.StatusUnprocessableEntity,
		"/api/v1/targets/shop/prod/window?at=9998-01-01T00:00:00Z":           http.StatusBadRequest,
		"/api/v1/windows/month?month=december&env=prod":                      http.StatusBadRequest,
		"/api/v1/windows/month?month=2026-12&env=nope":                       http.StatusNotFound,
		"/api/v1/windows/month?month=2026-12&env=prod&app=nope":              http.StatusNotFound,
		"/api/v1/windows/month?month=2026-12&env=prod&zone=Mars/Olympus":     http.StatusBadRequest,
		"/api/v1/windows/month?month=2026-12&env=prod&zone=../../etc/passwd": http.StatusBadRequest,
	} {
		if got := w.call("GET", path, nil, nil); got != want && !(got == http.StatusBadRequest && want == http.StatusUnprocessableEntity) {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

// The doctor warns of a year that a calendar in use lacks.
func TestDoctorKnowsCalendars(t *testing.T) {
	w := newWorld(t)
	w.ok("POST", "/api/v1/catalog", api.Apply{Manager: "windows", Documents: []api.Document{
		{Kind: "Calendar", Name: "own", Spec: json.RawMessage(`{"years":[{"year":2001,"source":"x"}]}`)},
		{Kind: "Window", Name: "hours", Spec: json.RawMessage(`{"kind":"allow","zone":"UTC","calendar":"own","onlyOn":["workday"],"weekly":[{"start":"10:00","end":"18:00"}]}`)},
	}}, nil)
	var d api.Doctor
	w.ok("GET", "/api/v1/doctor", nil, &d)
	for _, f := range d.Findings {
		if f.Area == "calendar own" && f.Level == delivery.LevelWarn && strings.Contains(f.Found.Text, "only Saturdays and Sundays are off") && f.Found.Next != "" {
			return
		}
	}
	t.Errorf("findings: %+v", d.Findings)
}
