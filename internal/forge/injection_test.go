package forge_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Names that came with a hook make no header, and no other request than a status of a
// repository's.
func TestNamesMakeNoHeaders(t *testing.T) {
	each(t, func(t *testing.T, s subject) {
		for _, evil := range []string{"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a HTTP/1.1\r\nHost: evil\r\n\r\nGET /", "../../../admin", "a?private_token=x#", "a%0d%0aX-Evil: 1"} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Evil") != "" || r.Host == "evil" || r.Method != http.MethodPost || strings.Contains(r.URL.RawQuery, "private_token") || !strings.Contains(r.URL.EscapedPath(), "/statuses/") {
					t.Errorf("%q made %s %s %v", evil, r.Method, r.URL, r.Header)
				}
				w.WriteHeader(http.StatusCreated)
			}))
			client, err := s.connect(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			for _, status := range []delivery.CommitStatus{
				{Forge: s.name, ProjectID: evil, Path: evil, SHA: after, Ref: "main", State: delivery.CommitRunning, Context: "c"},
				{Forge: s.name, ProjectID: "15", Path: "acme/shop", SHA: after, Ref: evil, State: delivery.CommitRunning, Context: evil, Description: evil, URL: "http://x/" + evil},
			} {
				_ = client.SetStatus(t.Context(), status) // refused or sent: only how matters
			}
			server.Close()
		}
	})
}
