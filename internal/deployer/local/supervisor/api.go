package supervisor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/deployer/local"
)

const (
	watchLimit = 30 * time.Second
	wishLimit  = 4 << 20 // bytes
	linesLimit = 10_000
)

// newAPI serves local.Client. Who may open the socket may do everything.
func newAPI(r *registry, quit func()) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, local.Info{PID: os.Getpid(), Protocol: local.Protocol}, nil)
	})
	mux.HandleFunc("GET /targets", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, r.list(func(string) bool { return true }), nil)
	})
	mux.HandleFunc("PUT /targets/{app}/{env}", func(w http.ResponseWriter, req *http.Request) {
		wish, err := readWish(w, req)
		if err != nil {
			answer(w, nil, err)
			return
		}
		o, err := r.apply(req.Context(), wish)
		answer(w, o, err)
	})
	mux.HandleFunc("GET /targets/{app}/{env}", func(w http.ResponseWriter, req *http.Request) {
		o, err := r.observe(keyOf(req))
		answer(w, o, err)
	})
	mux.HandleFunc("DELETE /targets/{app}/{env}", func(w http.ResponseWriter, req *http.Request) {
		// A caller that goes away does not leave the work half done.
		answer(w, struct{}{}, r.remove(context.WithoutCancel(req.Context()), keyOf(req)))
	})
	mux.HandleFunc("GET /targets/{app}/{env}/logs/{version}", func(w http.ResponseWriter, req *http.Request) {
		if err := streamLog(w, req, r); err != nil {
			answer(w, nil, err)
		}
	})
	mux.HandleFunc("GET /watch", func(w http.ResponseWriter, req *http.Request) {
		since, err := strconv.ParseInt(req.FormValue("since"), 10, 64)
		if err != nil {
			answer(w, nil, delivery.Wrap(delivery.Invalid, "since must be a number", err))
			return
		}
		ctx, cancel := context.WithTimeout(req.Context(), watchLimit)
		defer cancel()
		answer(w, r.watch(ctx, since), nil)
	})
	mux.HandleFunc("POST /shutdown", func(w http.ResponseWriter, req *http.Request) {
		answer(w, struct{}{}, r.stopAll(context.WithoutCancel(req.Context())))
		quit()
	})
	return mux
}

func keyOf(req *http.Request) string { return req.PathValue("app") + "/" + req.PathValue("env") }

func readWish(w http.ResponseWriter, req *http.Request) (local.Wish, error) {
	var wish local.Wish
	dec := json.NewDecoder(http.MaxBytesReader(w, req.Body, wishLimit))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&wish); err != nil {
		return wish, delivery.Wrap(delivery.Invalid, "the wish cannot be read", err)
	}
	if wish.Key != keyOf(req) {
		return wish, delivery.E(delivery.Invalid, fmt.Sprintf("the wish for %s names %s", keyOf(req), wish.Key))
	}
	return wish, nil
}

func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		local.EncodeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the caller may be gone
}

// streamLog returns an error only before it has written anything.
func streamLog(w http.ResponseWriter, req *http.Request, r *registry) error {
	t, err := r.get(keyOf(req))
	if err != nil {
		return err
	}
	v := t.view.Load()
	if v == nil || v.revision(req.PathValue("version")) == nil {
		return delivery.E(delivery.NotFound, "no such version of "+keyOf(req)+" has run here lately")
	}
	n, err := strconv.Atoi(req.FormValue("n"))
	if err != nil || n < 0 {
		return delivery.E(delivery.Invalid, "n must be a number of lines")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	out := flushed{w, http.NewResponseController(w)}
	out.flush()
	log := v.revision(req.PathValue("version")).log
	// A broken stream tells the caller by itself.
	_ = log.copyTo(req.Context(), out, min(n, linesLimit), req.FormValue("follow") != "")
	return nil
}

// flushed sends every line on its way as it comes.
type flushed struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (f flushed) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	f.flush()
	return n, err
}

func (f flushed) flush() { _ = f.rc.Flush() }
