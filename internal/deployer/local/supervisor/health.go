package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// earlyProbes find an app that listens within milliseconds; the last one repeats.
var earlyProbes = [...]time.Duration{2, 5, 10, 20, 50}

const probeLimit = time.Second

// earlyProbe returns the pause before probe n (from 0) of a starting app.
func earlyProbe(n int) time.Duration {
	return earlyProbes[min(n, len(earlyProbes)-1)] * time.Millisecond
}

// newHealthClient follows no redirect (3xx is an answer) and keeps no connection:
// whether the app accepts a new one is part of the question.
func newHealthClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// probe returns nil for a healthy app and else one line of evidence.
func probe(ctx context.Context, client *http.Client, addr, path string) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	if path == "tcp" {
		return probeTCP(ctx, addr)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return fmt.Errorf("health path %q cannot be asked for", path)
	}
	req.Header.Set("User-Agent", "shiplock-health")
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("GET %s: %s", path, plainNetError(err))
	}
	_ = res.Body.Close() // only the status counts
	if res.StatusCode < 200 || res.StatusCode > 399 {
		return fmt.Errorf("GET %s answered %s", path, res.Status)
	}
	return nil
}

func probeTCP(ctx context.Context, addr string) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return errors.New(plainNetError(err))
	}
	return conn.Close()
}

func plainNetError(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens on the port given to the app"
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %s", probeLimit)
	}
	return err.Error()
}
