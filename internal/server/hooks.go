package server

import (
	"fmt"
	"io"
	"net/http"

	"github.com/shiplock/shiplock/internal/delivery"
)

// receiveHook makes a forge's delivery durable and answers at once. What is of no
// interest gets 200 too: forges disable hooks that fail.
func (s *Server) receiveHook(w http.ResponseWriter, r *http.Request) {
	note, err := s.takeHook(w, r)
	switch {
	case err != nil:
		s.fail(w, r, err)
	case note != "":
		writeJSON(w, http.StatusOK, map[string]string{"note": note})
	default:
		writeJSON(w, http.StatusOK, struct{}{})
	}
}

func (s *Server) takeHook(w http.ResponseWriter, r *http.Request) (note string, err error) {
	reader, ok := s.cfg.Hooks[r.PathValue("forge")]
	if !ok {
		return "", delivery.E(delivery.NotFound, fmt.Sprintf("no hooks are taken from %q", r.PathValue("forge")))
	}
	if err := reader.Screen(r.Header); err != nil {
		return "", unauthenticated(err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
	if err != nil {
		return "", delivery.Wrap(delivery.Invalid, "the body cannot be read", err)
	}
	if err := reader.Verify(r.Header, body); err != nil {
		return "", unauthenticated(err)
	}
	hook, note, err := reader.Parse(r.Header, body)
	if err != nil || note != "" {
		return note, err
	}
	return "", s.cfg.Engine.ReceiveHook(r.Context(), hook)
}
