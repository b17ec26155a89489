package server

import (
	"fmt"
	"net/http"
	"time"
)

const (
	heartbeat    = 15 * time.Second
	writeTimeout = 10 * time.Second // of one event to one reader
	retryAfter   = time.Second      // a browser's pause before it connects again
)

// events writes one text/event-stream.
type events struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// openEvents begins the stream. Only writes have a time limit from here on.
func openEvents(w http.ResponseWriter) (*events, error) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies in front must not hold lines back
	e := &events{w: w, rc: http.NewResponseController(w)}
	if err := e.rc.SetReadDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("open the stream: %w", err)
	}
	return e, e.write(fmt.Sprintf("retry: %d\n\n", retryAfter.Milliseconds()))
}

// send writes one event; data is JSON without line breaks.
func (e *events) send(name, id string, data []byte) error {
	if id != "" {
		return e.write(fmt.Sprintf("event: %s\nid: %s\ndata: %s\n\n", name, id, data))
	}
	return e.write(fmt.Sprintf("event: %s\ndata: %s\n\n", name, data))
}

// beat keeps proxies from closing a quiet stream.
func (e *events) beat() error { return e.write(": \n\n") }

func (e *events) write(text string) error {
	if err := e.rc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := e.w.Write([]byte(text)); err != nil {
		return err
	}
	return e.rc.Flush()
}
