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
	forge := r.PathValue("forge")
	reader, ok := s.cfg.Hooks[forge]
	if !ok {
		return "", delivery.E(delivery.NotFound, fmt.Sprintf("no hooks are taken from %q", forge))
	}
	hook, note, err := readHook(reader, w, r)
	if err != nil {
		s.health.refuse(forge, err)
		return "", err
	}
	if note == "" {
		if err := s.cfg.Engine.ReceiveHook(r.Context(), hook); err != nil {
			return "", err
		}
	}
	s.health.take(hook, note)
	return note, nil
}

func readHook(reader HookReader, w http.ResponseWriter, r *http.Request) (h delivery.Hook, note string, err error) {
	if err := reader.Screen(r.Header); err != nil {
		return h, "", unauthenticated(err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
	if err != nil {
		return h, "", delivery.Wrap(delivery.Invalid, "the body cannot be read", err)
	}
	if err := reader.Verify(r.Header, body); err != nil {
		return h, "", unauthenticated(err)
	}
	return reader.Parse(r.Header, body)
}
