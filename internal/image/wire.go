package image

import (
	"errors"
	"net/http"
)

// errPlain keeps what is secret, and what must be genuine, off plain HTTP.
var errPlain = errors.New("plain HTTP is refused: this registry is to be spoken to over TLS")

// wire is the way to registries. It says which of them are spoken to in plain HTTP,
// and sends a request's body anew when the request is sent again.
type wire struct {
	inner    http.RoundTripper
	registry Registry
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	ours := r.URL.Host == w.registry.Host
	secret := ours || r.Header.Get("Authorization") != ""
	if r.URL.Scheme == "http" && secret && !w.registry.PlainHTTP {
		return nil, errPlain
	}
	again := r.Clone(r.Context())
	if ours && w.registry.PlainHTTP {
		again.URL.Scheme = "http"
	}
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		again.Body = body
	}
	return w.inner.RoundTrip(again)
}
