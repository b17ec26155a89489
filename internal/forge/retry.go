package forge

import (
	"net/http"
	"strconv"
	"time"
)

// maxRetryAfter is the longest wait that we let a forge ask for.
const maxRetryAfter = time.Hour

// deferred is an error that says when to try again.
type deferred struct {
	error
	after time.Duration
}

// RetryAfter is how long to wait, from the answer on.
func (d *deferred) RetryAfter() time.Duration { return d.after }

func (d *deferred) Unwrap() error { return d.error }

// later adds what the header Retry-After asks for: seconds, or a date, which is
// held against the server's own clock.
func later(h http.Header, err error) error {
	value := h.Get("Retry-After")
	var after time.Duration
	if seconds, bad := strconv.ParseInt(value, 10, 32); bad == nil {
		after = time.Duration(seconds) * time.Second
	} else if at, bad := http.ParseTime(value); bad == nil {
		sent, bad := http.ParseTime(h.Get("Date"))
		if bad != nil {
			return err
		}
		after = at.Sub(sent)
	}
	if after <= 0 {
		return err
	}
	return &deferred{error: err, after: min(after, maxRetryAfter)}
}
