package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// raw sends a request's head and whatever body writes, and returns the answer.
func (w *world) raw(head string, body func(io.Writer)) (*http.Response, error) {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	w.must(err)
	w.t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /hooks/gitlab HTTP/1.1\r\nHost: shiplock\r\nX-Gitlab-Token: %s\r\n%s\r\n", hookSecret, head)
	w.must(err)
	go body(conn)
	w.must(conn.SetReadDeadline(time.Now().Add(20 * time.Second)))
	return http.ReadResponse(bufio.NewReader(conn), nil)
}

func TestHookOfAHundredMegabytes(t *testing.T) {
	w := newWorld(t)
	// Nothing of it was sent when it is refused.
	res, err := w.raw("Content-Length: 104857600\r\n", func(io.Writer) {})
	if err != nil || res.StatusCode != http.StatusRequestEntityTooLarge || !res.Close {
		t.Fatalf("announced: %v %v", res, err)
	}
	// One that does not say how large it is ends at the bound, with as much memory.
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res, err = w.raw("Transfer-Encoding: chunked\r\n", func(conn io.Writer) {
		piece := "10000\r\n" + strings.Repeat("x", 0x10000) + "\r\n"
		for range 1600 {
			if _, err := io.WriteString(conn, piece); err != nil {
				return
			}
		}
	})
	runtime.ReadMemStats(&after)
	if err != nil || res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Fatalf("in chunks: %v %v", res, err)
	}
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 4*maxHook {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

// A body that drips in is given up, and holds up nobody else.
func TestSlowHook(t *testing.T) {
	w := newWorld(t)
	w.server.intake.timeout = 300 * time.Millisecond
	quit := make(chan struct{})
	defer close(quit)
	start := time.Now()
	res, err := w.raw("Content-Length: 1000\r\n", func(conn io.Writer) {
		for {
			if _, err := io.WriteString(conn, "x"); err != nil {
				return
			}
			select {
			case <-quit:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	if took := time.Since(start); took > 10*time.Second || err == nil && res.StatusCode < 400 {
		t.Errorf("after %s: %v %v", took, res, err)
	}
}

func TestHooksWaitForAPlace(t *testing.T) {
	w := newWorld(t)
	w.server.intake.timeout = 200 * time.Millisecond
	w.server.intake.reading = make(chan struct{}, 1)
	w.server.intake.reading <- struct{}{}
	res, err := w.raw("Content-Length: 2\r\n", func(conn io.Writer) { _, _ = io.WriteString(conn, "{}") })
	if err != nil || res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("%v %v", res, err)
	}
	<-w.server.intake.reading
	if res, err = w.raw("Content-Length: 2\r\n", func(conn io.Writer) { _, _ = io.WriteString(conn, "{}") }); err != nil || res.StatusCode == http.StatusServiceUnavailable {
		t.Errorf("with a place: %v %v", res, err)
	}
}

// What is no hook of a forge's is refused with a reason, whatever it claims to be.
func TestNonsenseHooks(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct{ kind, body string }{
		"deep JSON":      {"application/json", strings.Repeat(`{"a":`, 200_000)},
		"deep lists":     {"application/json", strings.Repeat("[", 1_000_000)},
		"an image":       {"image/png", "\x89PNG\r\n\x1a\n\x00\x00"},
		"XML":            {"text/xml", `<?xml version="1.0"?><a/>`},
		"a form":         {"application/x-www-form-urlencoded", "payload=%7B%7D"},
		"nothing":        {"application/json", ""},
		"a large number": {"application/json", `{"object_kind":"push","project_id":1` + strings.Repeat("0", 5000) + `}`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/hooks/gitlab", strings.NewReader(c.body))
		w.must(err)
		req.Header.Set("X-Gitlab-Token", hookSecret)
		req.Header.Set("X-Gitlab-Event", "Push Hook")
		req.Header.Set("Content-Type", c.kind)
		res, err := http.DefaultClient.Do(req)
		w.must(err)
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusBadRequest || len(body) > 4096 || !strings.Contains(string(body), "hook") {
			t.Errorf("%s: %s %s", name, res.Status, body)
		}
	}
	var hooks struct{ Items []any }
	w.ok("GET", "/api/v1/hooks", nil, &hooks)
	if len(hooks.Items) != 0 {
		t.Errorf("kept: %v", hooks.Items)
	}
}
