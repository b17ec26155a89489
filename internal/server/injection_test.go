package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// exactly sends a request exactly as it is written, and returns the answer.
func (w *world) exactly(request string) (*http.Response, string) {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	w.must(err)
	defer conn.Close()
	_, err = io.WriteString(conn, request)
	w.must(err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	w.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	w.must(err)
	return res, string(body)
}

// No path leads out of what is served.
func TestStaticPathsStayInside(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"/static/../server.go", "/static/..%2fserver.go", "/static/%2e%2e/%2e%2e/etc/passwd", "/static/....//server.go", "/static//etc/passwd",
		`/static/..\..\server.go`, "/static/index.html", "/static/", "/static/x.js/../../../etc/passwd", "/static/%00.js", "/static/web/../../go.mod",
	} {
		res, body := w.exactly("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if res.StatusCode == http.StatusOK || strings.Contains(body, "package server") || strings.Contains(body, "root:") {
			t.Errorf("%s: %d %.80s", path, res.StatusCode, body)
		}
	}
}

// Names of runs and secrets in paths name nothing else.
func TestNamesInPathsStayNames(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"..", "../../etc/passwd", "a/../../b", "x\x00", "shop#1/../..", "-", "a\r\nX-Evil: 1"} {
		for _, path := range []string{"runs/%s/logs", "runs/%s/logs.txt", "runs/%s", "releases/%s", "apps/%s", "targets/%s/dev"} {
			path = "/api/v1/" + fmt.Sprintf(path, url.PathEscape(name))
			res := w.do("GET", path, nil, w.token)
			body, err := io.ReadAll(res.Body)
			w.must(err)
			res.Body.Close()
			if res.StatusCode/100 == 2 || res.StatusCode/100 == 5 || strings.Contains(string(body), "root:") || res.Header.Get("X-Evil") != "" {
				t.Errorf("%q: %d %s", path, res.StatusCode, body)
			}
		}
	}
}

// What somebody sends comes back in no header of its own, and leads to no other site.
func TestHeadersAreNotInjected(t *testing.T) {
	w := newWorld(t)
	for _, next := range []string{
		"/\r\nX-Evil: 1", "/a\nX-Evil: 1", "//evil.example.com", `/\evil.example.com`, "https://evil.example.com", "/\tevil", "javascript:alert(1)", "/%0d%0aX-Evil:%201",
	} {
		form := url.Values{"language": {"zh"}, "lang": {"zh"}, "next": {next}}.Encode()
		res, _ := w.exactly(fmt.Sprintf("POST /language HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(form), form))
		to, err := url.Parse(res.Header.Get("Location"))
		if res.Header.Get("X-Evil") != "" || err != nil || to.Host != "" || to.Scheme != "" {
			t.Errorf("next %q: %v, %v", next, res.Header, err)
		}
	}
	for _, path := range []string{"/%0d%0aX-Evil:%201", "/runs/%0d%0aX-Evil:%201", "/releases/x%0aX-Evil:1"} {
		res, _ := w.exactly("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if res.Header.Get("X-Evil") != "" || strings.ContainsAny(res.Header.Get("Location"), "\r\n") {
			t.Errorf("%s: %v", path, res.Header)
		}
	}
}
