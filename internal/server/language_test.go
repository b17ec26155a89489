package server

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
)

// read answers a GET with the headers of a reader.
func (w *world) read(path string, header map[string]string) (string, *http.Response) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+path, nil)
	w.must(err)
	req.Header.Set("Authorization", "Bearer "+w.token)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	w.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	w.must(err)
	return string(body), res
}

// Causes and errors are said in the language that the reader asks for; code and
// arguments are the same in all of them.
func TestAnswersAreInTheReadersLanguage(t *testing.T) {
	w := newWorld(t)
	w.startRun()
	w.ok("POST", "/api/v1/runs/shop%231/cancel", api.Reason{Reason: "not needed"}, nil)
	for _, tc := range []struct {
		accept, cookie, lang, text string
	}{
		{"", "", "en", "canceled by admin: not needed"},
		{"en-US,en;q=0.9", "", "en", "canceled by admin: not needed"},
		{"zh-CN,zh;q=0.9,en;q=0.8", "", "zh", "已被 admin 取消：not needed"},
		{"de, zh;q=0.5", "", "zh", "已被 admin 取消：not needed"},
		{"zh", "shiplock_lang=en", "en", "canceled by admin: not needed"},
		{"en", "shiplock_lang=zh", "zh", "已被 admin 取消：not needed"},
		{"en", "shiplock_lang=xx", "en", "canceled by admin: not needed"},
	} {
		header := map[string]string{"Accept-Language": tc.accept, "Cookie": tc.cookie}
		for _, path := range []string{"/api/v1/runs/shop%231", "/api/v1/runs/shop/explain", "/api/v1/runs?app=shop"} {
			body, res := w.read(path, header)
			if !strings.Contains(body, `"text":"`+tc.text+`"`) || !strings.Contains(body, `"code":"run.canceled"`) || !strings.Contains(body, `"reason":"not needed"`) {
				t.Errorf("%s with %v: %.500s", path, header, body)
			}
			if got := res.Header.Get("Content-Language"); got != tc.lang {
				t.Errorf("%s with %v is in %q", path, header, got)
			}
		}
	}
}

func TestPagesSwitchLanguage(t *testing.T) {
	w := newWorld(t)
	for accept, want := range map[string]string{"zh-CN": `lang="zh-CN"`, "en": `lang="en"`} {
		body, _ := w.read("/login", map[string]string{"Accept-Language": accept})
		if !strings.Contains(body, want) || !strings.Contains(body, "English") && !strings.Contains(body, "中文") {
			t.Errorf("%s: %s", accept, body)
		}
	}
	for next, want := range map[string]string{"/runs/x": "/runs/x", "//evil": "/"} {
		res := w.browse("POST", "/language", w.url, url.Values{"lang": {"zh"}, "next": {next}}, nil)
		if c := res.Cookies(); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != want || len(c) != 1 || c[0].Value != "zh" {
			t.Errorf("%s: %d %v", next, res.StatusCode, res.Header)
		}
	}
}
