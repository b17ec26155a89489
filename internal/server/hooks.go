package server

import (
	"fmt"
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
	hook, note, err := s.readHook(reader, w, r)
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

func (s *Server) readHook(reader HookReader, w http.ResponseWriter, r *http.Request) (h delivery.Hook, note string, err error) {
	if err := reader.Screen(r.Header); err != nil {
		return h, "", unauthenticated(err)
	}
	err = s.intake.take(w, r, func(body []byte) (err error) {
		if err := reader.Verify(r.Header, body); err != nil {
			return unauthenticated(err)
		}
		h, note, err = reader.Parse(r.Header, body)
		return err
	})
	return h, note, err
}
