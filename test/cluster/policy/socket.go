package policy

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

// serve listens to the network plugin until ctx ends.
func (e *enforcer) serve(ctx context.Context) error {
	if err := os.Remove(layout.PolicySocket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", layout.PolicySocket)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add", e.answer(e.place))
	mux.HandleFunc("POST /del", e.answer(func(_ context.Context, p Placement) error { e.leave(p); return nil }))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (e *enforcer) answer(act func(context.Context, Placement) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var p Placement
		err := json.NewDecoder(r.Body).Decode(&p)
		if err == nil && (p.Namespace == "" || p.Name == "" || p.Address == "") {
			err = errNoAddress
		}
		if err == nil {
			err = act(r.Context(), p)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}
