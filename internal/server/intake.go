package server

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// hookTimeout is how long the body of a hook may take; forges give up after 10
	// seconds themselves.
	hookTimeout = 10 * time.Second
	// smallHook is what nearly all hooks are below, in bytes.
	smallHook = 256 << 10
	// maxReading and maxLarge bound the bodies that are in memory at a time, and with
	// them the memory: 512 small ones and 2 of the largest are less than 200 MB.
	maxReading, maxLarge = 512, 2
)

// intake reads the bodies of hooks. Anybody may send one, and only the whole body shows
// who knows the secret, so that it must cost little to be sent nonsense.
type intake struct {
	reading, large chan struct{}
	timeout        time.Duration
}

func newIntake() *intake {
	return &intake{reading: make(chan struct{}, maxReading), large: make(chan struct{}, maxLarge), timeout: hookTimeout}
}

// take reads a body and hands it to do, within the bounds. What says beforehand that it
// is too large is not read at all.
func (i *intake) take(w http.ResponseWriter, r *http.Request, do func(body []byte) error) error {
	if r.ContentLength > maxHook {
		w.Header().Set("Connection", "close")
		return delivery.Wrap(delivery.Invalid, "the body cannot be read", &http.MaxBytesError{Limit: maxHook})
	}
	until := time.Now().Add(i.timeout)
	_ = http.NewResponseController(w).SetReadDeadline(until) // without one, the server's own holds
	leave, err := enter(i.reading, r, until)
	if err != nil {
		return err
	}
	defer leave()
	limited := http.MaxBytesReader(w, r.Body, maxHook)
	body, err := io.ReadAll(io.LimitReader(limited, smallHook))
	if err != nil {
		return unreadable(err)
	}
	if len(body) < smallHook {
		return do(body)
	}
	leave, err = enter(i.large, r, until)
	if err != nil {
		return err
	}
	defer leave()
	whole := bytes.NewBuffer(body)
	if _, err := whole.ReadFrom(limited); err != nil {
		return unreadable(err)
	}
	return do(whole.Bytes())
}

// enter waits for a place.
func enter(places chan struct{}, r *http.Request, until time.Time) (leave func(), err error) {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-t.C:
		return nil, delivery.E(delivery.Unavailable, "too many hooks come in at once; send it again later")
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func unreadable(err error) error {
	return delivery.Wrap(delivery.Invalid, "the body cannot be read, or took too long", err)
}
