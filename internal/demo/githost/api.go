package githost

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
)

const maxAPIBody = 64 << 10

var sha = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// projectID turns a path into the id of its project; an id stays as it is.
func projectID(idOrPath string) string {
	if _, err := strconv.ParseInt(idOrPath, 10, 64); err == nil {
		return idOrPath
	}
	return strconv.FormatInt(project(idOrPath).ID, 10)
}

// postStatus is "Set commit pipeline status". Without repositories of its own the
// Host takes any project and commit.
func (h *Host) postStatus(w http.ResponseWriter, r *http.Request) {
	at := h.config.Now()
	if !sameSecret(r.Header.Get("Private-Token"), h.config.APIToken) {
		reply(w, http.StatusUnauthorized, message("401 Unauthorized"))
		return
	}
	var in struct {
		State, Name, Context, Ref, Description string
		TargetURL                              string `json:"target_url"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAPIBody)).Decode(&in); err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": "body is invalid"})
		return
	}
	s := Status{
		Project: projectID(r.PathValue("id")), SHA: r.PathValue("sha"), State: in.State, Name: in.Name,
		Ref: in.Ref, TargetURL: in.TargetURL, Description: in.Description, At: at,
	}
	if s.Name == "" {
		s.Name = in.Context
	}
	if s.Name == "" {
		s.Name = "default"
	}
	switch {
	case events()[s.State] == "":
		reply(w, http.StatusBadRequest, map[string]string{"error": "state does not have a valid value"})
		return
	case !sha.MatchString(s.SHA):
		reply(w, http.StatusNotFound, message("404 Commit Not Found"))
		return
	}
	s, err := h.ledger.add(s)
	if err != nil {
		reply(w, http.StatusBadRequest, message(err.Error()))
		return
	}
	reply(w, http.StatusCreated, s)
}

func message(text string) map[string]string { return map[string]string{"message": text} }

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// A client that left needs no answer.
	_ = json.NewEncoder(w).Encode(body)
}
