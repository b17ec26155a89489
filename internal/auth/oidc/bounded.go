package oidc

import (
	"io"
	"net/http"
)

// bounded cuts answers off that are longer than any that makes sense.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = cut{io.LimitReader(res.Body, maxAnswer), res.Body}
	}
	return res, err
}

type cut struct {
	io.Reader
	io.Closer
}
