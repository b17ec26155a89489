package forge

import (
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// JSONBody returns the JSON of a hook, which may come as the field payload of a form.
// The error is Invalid.
func JSONBody(header http.Header, body []byte) ([]byte, error) {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" {
		return body, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !form.Has("payload") {
		return nil, delivery.E(delivery.Invalid, "the hook's form has no field payload; set the webhook's content type to application/json")
	}
	return []byte(form.Get("payload")), nil
}

// Event names an event in words of the log.
func Event(event string) string {
	if event == "" {
		return "unnamed event"
	}
	return Clip(Printable(strings.ReplaceAll(event, "_", " ")), 64)
}

// OwnerAndName escapes the path of a repository, owner/name, for a URL.
func OwnerAndName(path string) (string, bool) {
	owner, name, ok := strings.Cut(path, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") || owner == ".." || name == ".." {
		return "", false
	}
	return url.PathEscape(owner) + "/" + url.PathEscape(name), true
}
