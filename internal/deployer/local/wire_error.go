package local

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/shiplock/shiplock/internal/delivery"
)

// statusOf is the one table between kinds of errors and the wire.
var statusOf = map[delivery.Kind]int{
	delivery.Internal:    http.StatusInternalServerError,
	delivery.Invalid:     http.StatusBadRequest,
	delivery.NotFound:    http.StatusNotFound,
	delivery.Conflict:    http.StatusConflict,
	delivery.Denied:      http.StatusForbidden,
	delivery.Unavailable: http.StatusServiceUnavailable,
}

type wireError struct {
	Error string `json:"error"`
}

// EncodeError answers a request with err; the client makes the same kind of
// error out of it.
func EncodeError(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(statusOf[delivery.KindOf(err)])
	// The caller may be gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(wireError{Error: err.Error()})
}

func decodeError(res *http.Response) error {
	var body wireError
	if err := json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&body); err != nil || body.Error == "" {
		body.Error = "the supervisor answered " + res.Status
	}
	for kind, status := range statusOf {
		if status == res.StatusCode {
			return delivery.E(kind, body.Error)
		}
	}
	return delivery.E(delivery.Internal, body.Error)
}
