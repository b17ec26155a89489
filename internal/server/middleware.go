package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
)

type requestKey struct{}

// requestID names the request in the log; empty outside of one.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// wrap puts around the routes what all of them need: a name for the request, the
// access log, recovery, and protection against requests that other sites make
// browsers send.
func (s *Server) wrap(routes http.Handler) http.Handler {
	protected := http.NewCrossOriginProtection()
	protected.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, newProblem(http.StatusForbidden, "denied", "another site's page sent this request: open Shiplock itself and try there"))
	}))
	inner := protected.Handler(routes)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		id := newRequestID()
		r = s.speaking(r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
		rec := &recorder{ResponseWriter: w}
		rec.Header().Set("X-Request-Id", id)
		rec.Header().Set("X-Content-Type-Options", "nosniff")
		rec.Header().Set("Content-Language", string(language(r.Context())))
		rec.Header().Set("Vary", "Accept-Language, Cookie")
		defer func() {
			s.recovered(rec, r, recover())
			s.cfg.Log.Debug("request", "method", r.Method, "path", r.URL.Path, "status", rec.status, "dur", time.Since(began), "request", id)
		}()
		inner.ServeHTTP(rec, r)
	})
}

// recovered answers for a handler that panicked. http.ErrAbortHandler is the
// handler's own way to cut the connection.
func (s *Server) recovered(w *recorder, r *http.Request, cause any) {
	switch {
	case cause == nil:
		return
	case cause == http.ErrAbortHandler:
		panic(cause)
	}
	s.cfg.Log.Error("handler panicked", "method", r.Method, "path", r.URL.Path, "request", requestID(r.Context()),
		"err", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if w.status == 0 {
		s.fail(w, r, newProblem(http.StatusInternalServerError, "internal", "a defect of Shiplock's: please report it with request "+requestID(r.Context())))
	}
}

// compressor returns a wrapper that compresses JSON of some size, quickly.
func compressor() func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(2<<10), gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.ContentTypes([]string{"application/json"}))
	if err != nil {
		panic("server: " + err.Error()) // the options are constants
	}
	return wrap
}

func newRequestID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the writer below.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func tooLargeText(limit int64) string {
	return fmt.Sprintf("the request's body is larger than %d MiB: send less at once", limit>>20)
}
