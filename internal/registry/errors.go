package registry

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/shiplock/shiplock/internal/delivery"
)

// apiError is one error of the distribution spec, as it goes over the wire.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return e.message }

var (
	errNotFound        = &apiError{http.StatusNotFound, "UNSUPPORTED", "no such endpoint"}
	errMethod          = &apiError{http.StatusMethodNotAllowed, "UNSUPPORTED", "method not allowed here"}
	errName            = &apiError{http.StatusBadRequest, "NAME_INVALID", "invalid repository name"}
	errNameUnknown     = &apiError{http.StatusNotFound, "NAME_UNKNOWN", "repository not known to this registry"}
	errDigest          = &apiError{http.StatusBadRequest, "DIGEST_INVALID", "not a sha256 digest"}
	errDigestMismatch  = &apiError{http.StatusBadRequest, "DIGEST_INVALID", "the content does not have this digest"}
	errReference       = &apiError{http.StatusBadRequest, "MANIFEST_INVALID", "neither a tag nor a sha256 digest"}
	errBlobUnknown     = &apiError{http.StatusNotFound, "BLOB_UNKNOWN", "blob not known to this repository"}
	errUploadUnknown   = &apiError{http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "upload not known; start a new one"}
	errUploadBusy      = &apiError{http.StatusConflict, "BLOB_UPLOAD_INVALID", "another request is writing to this upload"}
	errUploadTruncated = &apiError{http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "the request body ended early; resume from the range of the upload"}
	errRange           = &apiError{http.StatusRequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID", "the chunk does not start where the upload ends"}
	errTooLarge        = &apiError{http.StatusRequestEntityTooLarge, "SIZE_INVALID", "the content is larger than this registry allows"}
	errTooMany         = &apiError{http.StatusTooManyRequests, "TOOMANYREQUESTS", "too many uploads are open; try again later"}
	errManifestUnknown = &apiError{http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest not known to this repository"}
	errPage            = &apiError{http.StatusBadRequest, "UNSUPPORTED", "n must be a number that is not negative"}
	errInternal        = &apiError{http.StatusInternalServerError, "UNKNOWN", "the registry could not do this; see its log"}
)

func manifestInvalid(message string) error {
	return &apiError{http.StatusBadRequest, "MANIFEST_INVALID", message}
}

func manifestBlobUnknown(digest string) error {
	return &apiError{http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN", "push " + digest + " before the manifest that names it"}
}

// apiErrorOf translates err for the wire; ok is false when err is a defect or a
// failing disk, which belongs in the log.
func apiErrorOf(err error) (e *apiError, ok bool) {
	if errors.As(err, &e) {
		return e, true
	}
	switch delivery.KindOf(err) {
	case delivery.Denied:
		return &apiError{http.StatusUnauthorized, "UNAUTHORIZED", err.Error()}, true
	case delivery.NotFound:
		return errNameUnknown, true
	case delivery.Invalid:
		return errName, true
	case delivery.Unavailable:
		return &apiError{http.StatusServiceUnavailable, "UNKNOWN", "try again later"}, true
	}
	return errInternal, false
}

func writeError(w http.ResponseWriter, e *apiError) {
	type entry struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="shiplock"`)
	}
	writeJSON(w, e.status, "application/json", map[string][]entry{"errors": {{e.code, e.message}}})
}

func writeJSON(w http.ResponseWriter, status int, mediaType string, body any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	// The peer may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}
