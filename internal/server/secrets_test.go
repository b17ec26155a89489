package server

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
)

// What was set is told to nobody, whatever is asked and whatever goes wrong.
func TestSecretValuesAreNeverTold(t *testing.T) {
	w := newWorld(t)
	const value, inBase64 = "hunter2-hunter2", "aHVudGVyMi1odW50ZXIy"
	told := func(method, path string, body any, status int) {
		t.Helper()
		res := w.do(method, path, body, w.token)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		w.must(err)
		if res.StatusCode != status {
			t.Errorf("%s %s: %d %s", method, path, res.StatusCode, text)
		}
		for _, bad := range []string{value, inBase64, "wrapped", `"box"`} {
			if strings.Contains(string(text), bad) {
				t.Errorf("%s %s tells %q: %s", method, path, bad, text)
			}
		}
	}
	told("POST", "/api/v1/secrets", api.SetSecret{Name: "robot", Value: []byte(value)}, http.StatusOK)
	told("POST", "/api/v1/secrets", api.SetSecret{Name: "Not A Name", Value: []byte(value)}, http.StatusBadRequest)
	told("POST", "/api/v1/secrets", `{"name":7,"value":"`+inBase64+`"}`, http.StatusBadRequest)
	told("POST", "/api/v1/secrets", `{"name":"robot","value":"`+inBase64+`!"}`, http.StatusBadRequest)
	told("POST", "/api/v1/secrets", `{"name":"robot","value":"`+inBase64, http.StatusBadRequest)
	told("POST", "/api/v1/secrets", `{"name":"robot","nonsense":"`+inBase64+`"}`, http.StatusBadRequest)
	for _, path := range []string{"secrets", "audit", "status", "doctor", "history?kind=secret&id=robot"} {
		res := w.do("GET", "/api/v1/"+path, nil, w.token)
		told("GET", "/api/v1/"+path, nil, res.StatusCode)
		res.Body.Close()
	}
	told("POST", "/api/v1/secrets/rotate-key", nil, http.StatusOK)
	var page api.Page[api.Secret]
	w.ok("GET", "/api/v1/secrets", nil, &page)
	if len(page.Items) != 1 || page.Items[0].Name != "robot" || page.Items[0].Revision != 1 {
		t.Errorf("got %+v", page)
	}
	told("POST", "/api/v1/secrets/robot/delete", nil, http.StatusOK)
	told("GET", "/api/v1/secrets/robot", nil, http.StatusNotFound)
}
