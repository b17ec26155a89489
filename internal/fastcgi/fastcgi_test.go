package fastcgi_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/fastcgi"
)

// responder serves h the standard library's way, which is an implementation of
// the protocol that is not ours.
func responder(t *testing.T, h http.HandlerFunc) fastcgi.Dialer {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = fcgi.Serve(l, h) // ends with the listener
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
}

func request(body string) fastcgi.Request {
	return fastcgi.Request{
		Params: map[string]string{
			"REQUEST_METHOD": "POST", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_URI": "/a?b=c", "HTTP_HOST": "example.com",
			"CONTENT_TYPE": "text/plain", "HTTP_X_LONG": strings.Repeat("x", 100_000),
		},
		Body: strings.NewReader(body),
	}
}

func TestAskAndAnswer(t *testing.T) {
	dial := responder(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Path", r.URL.String())
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(append(body, r.Header.Get("X-Long")...))
	})
	sent := strings.Repeat("0123456789", 30_000) // more than a record holds
	res, err := fastcgi.Do(t.Context(), dial, request(sent))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.Status != http.StatusTeapot || res.Header.Get("X-Path") != "http://example.com/a?b=c" || len(res.Header["Set-Cookie"]) != 2 || res.Header.Get("Status") != "" {
		t.Errorf("status %d, header %v", res.Status, res.Header)
	}
	if string(got) != sent+strings.Repeat("x", 100_000) {
		t.Errorf("%d bytes came back", len(got))
	}
}

// A responder that answers without reading the body must not be waited for.
func TestAnswerBeforeTheBodyIsRead(t *testing.T) {
	dial := responder(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	r := request("")
	r.Body = io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), strings.NewReader(strings.Repeat("y", 1<<20)))
	res, err := fastcgi.Do(t.Context(), dial, r)
	if err != nil {
		t.Fatal(err)
	}
	if res.Status != http.StatusForbidden {
		t.Errorf("status %d", res.Status)
	}
	if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
}

func TestRequestEndsWithItsContext(t *testing.T) {
	entered := make(chan struct{})
	leave := make(chan struct{})
	dial := responder(t, func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-leave
	})
	defer close(leave)
	limit := errors.New("the app takes too long")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-entered
		cancel(limit)
	}()
	if _, err := fastcgi.Do(ctx, dial, request("")); !errors.Is(err, limit) {
		t.Errorf("%v", err)
	}
}

// scripted answers with these bytes, whatever it is asked.
func scripted(answer []byte) fastcgi.Dialer {
	return func(context.Context) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			go func() { _, _ = io.Copy(io.Discard, bufio.NewReader(theirs)) }() // ends when ours is closed
			_ = theirs.SetWriteDeadline(time.Now().Add(10 * time.Second))
			_, _ = theirs.Write(answer)
			_ = theirs.Close()
		}()
		return ours, nil
	}
}

func record(kind byte, content string) []byte {
	b := []byte{1, kind, 0, 1, byte(len(content) >> 8), byte(len(content)), 3, 0}
	return append(append(b, content...), 0, 0, 0)
}

func answer(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

var end = record(3, "\x00\x00\x00\x00\x00\x00\x00\x00")

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer []byte
		status int
		body   string
		errors string
		fails  string
	}{
		"plain":         {answer(record(6, "Content-Type: text/plain\r\n\r\nhello"), end), 200, "hello", "", ""},
		"bare newlines": {answer(record(6, "Content-Type: text/plain\n\nhello"), end), 200, "hello", "", ""},
		"status":        {answer(record(6, "Status: 404 Not Found\r\n\r\n"), end), 404, "", "", ""},
		"redirection":   {answer(record(6, "Location: /x\r\n\r\n"), end), 302, "", "", ""},
		"split head":    {answer(record(6, "A: b\r"), record(6, "\n\r\nhel"), record(6, "lo"), record(6, ""), end), 200, "hello", "", ""},
		"complaints":    {answer(record(7, "PHP message: "), record(6, "A: b\r\n\r\n"), record(7, "no\n"), end), 200, "", "PHP message: no\n", ""},
		"other records": {answer(record(11, "????????"), record(6, "A: b\r\n\r\nx"), end), 200, "x", "", ""},
		"overloaded":    {record(3, "\x00\x00\x00\x00\x02\x00\x00\x00"), 0, "", "", "overloaded"},
		"no header":     {answer(record(6, "hello"), end), 0, "", "", "breaks the protocol"},
		"no answer":     {end, 0, "", "", "breaks the protocol"},
		"cut head":      {record(6, "A: b\r\n"), 0, "", "", "too early"},
		"cut record":    {record(6, "A: b\r\n\r\n")[:9], 0, "", "", "too early"},
		"bad status":    {answer(record(6, "Status: 99 x\r\n\r\n"), end), 0, "", "", "breaks the protocol"},
		"bad version":   {[]byte("HTTP/1.1 200 OK\r\n"), 0, "", "", "breaks the protocol"},
		"short end":     {answer(record(3, "x")), 0, "", "", "breaks the protocol"},
		"endless head":  {bytes.Repeat(record(6, "A: "+strings.Repeat("b", 60_000)+"\r\n"), 8), 0, "", "", "breaks the protocol"},
	} {
		t.Run(name, func(t *testing.T) {
			var complaints bytes.Buffer
			r := request("body")
			r.Errors = &complaints
			res, err := fastcgi.Do(t.Context(), scripted(c.answer), r)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("%v, %v", res, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if err := errors.Join(err, res.Body.Close()); err != nil {
				t.Fatal(err)
			}
			if res.Status != c.status || string(body) != c.body || complaints.String() != c.errors {
				t.Errorf("%d %q, %q", res.Status, body, complaints.String())
			}
		})
	}
}

// An answer that ends in mid-body is an error, not a short body.
func TestCutBody(t *testing.T) {
	res, err := fastcgi.Do(t.Context(), scripted(record(6, "A: b\r\n\r\nhel")), request(""))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}

// Whatever a responder sends, reading ends, and yields no more than was sent.
func FuzzAnswer(f *testing.F) {
	f.Add(answer(record(7, "oops\n"), record(6, "Content-Type: text/plain\r\n\r\nhello"), end))
	f.Add(answer(record(6, "Status: 404 Not Found\r\n\r\n"), record(11, "x"), end))
	f.Add(record(3, "\x00\x00\x00\x00\x02\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		res, err := fastcgi.Do(t.Context(), scripted(answer), fastcgi.Request{})
		if err != nil {
			return
		}
		body, _ := io.ReadAll(res.Body) // it may end in an error
		if res.Status < 200 || res.Status > 599 || len(body) > len(answer) {
			t.Errorf("%d, %d bytes of %d", res.Status, len(body), len(answer))
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
	})
}
