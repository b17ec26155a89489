package site

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// note remembers how a request was answered.
type note struct {
	http.ResponseWriter
	status int
	bytes  int64
	told   bool
}

func (n *note) WriteHeader(status int) {
	if !n.told {
		n.status, n.told = status, status >= 200
	}
	n.ResponseWriter.WriteHeader(status)
}

func (n *note) Write(p []byte) (int, error) {
	n.told = true
	written, err := n.ResponseWriter.Write(p)
	n.bytes += int64(written)
	return written, err
}

// Unwrap lets an http.ResponseController reach the connection.
func (n *note) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// log writes one line for a request. The query stays out: it may hold secrets.
// Nor is a healthy answer to those who look after the app worth a line.
func (s *Site) log(r *http.Request, n *note, took time.Duration) {
	agent := r.UserAgent()
	if n.status < 400 && (strings.HasPrefix(agent, "shiplock-health") || strings.HasPrefix(agent, "kube-probe/")) {
		return
	}
	fmt.Fprintf(s.Log, "%s %.2000s %d %d B %d ms %.200q\n", r.Method, r.URL.EscapedPath(), n.status, n.bytes, took.Milliseconds(), agent)
}
