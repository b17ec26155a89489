package image

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/shiplock/shiplock/internal/delivery"
)

func status(err error) int {
	if e := (*transport.Error)(nil); errors.As(err, &e) {
		return e.StatusCode
	}
	return 0
}

// Permissions of a registry, as its token service names them.
const (
	toPull   = "pull"
	toPush   = "pull,push"
	toDelete = "delete"
)

// registryError classifies what a registry, or the way to it, answered to somebody who
// needs a permission.
func registryError(doing, permission string, ref named, err error) error {
	err = fmt.Errorf("%s %s: %w", doing, ref, err)
	if errors.Is(err, context.Canceled) || errors.As(err, new(*delivery.Error)) {
		return err
	}
	repository := ref.String()
	if r, ok := ref.(name.Reference); ok {
		repository = r.Context().String()
	}
	switch code := status(err); {
	case noRoom(err):
		return delivery.Wrap(delivery.Invalid, "the registry has no room left for "+repository+": delete images that nobody needs, or raise its quota", err)
	case code == http.StatusUnauthorized:
		return delivery.Wrap(delivery.Denied, fmt.Sprintf("the registry refuses the login for %s, which needs the permission %s: correct the user name and password, or give the user that permission", repository, permission), err)
	case code == http.StatusForbidden:
		return delivery.Wrap(delivery.Denied, fmt.Sprintf("the registry does not allow %s on %s: give its user that permission", permission, repository), err)
	case code == http.StatusNotFound && permission == toPush:
		return delivery.Wrap(delivery.NotFound, "the registry has no place for "+repository+": make the repository, or the project that it belongs to, there first", err)
	case code == http.StatusNotFound:
		return delivery.Wrap(delivery.NotFound, ref.String()+" is not in its registry; check the name, or push it first", err)
	case code == http.StatusRequestEntityTooLarge:
		return delivery.Wrap(delivery.Invalid, "the registry of "+repository+" finds a layer too large: raise the limit of the registry, or of the proxy before it", err)
	case code >= http.StatusBadRequest && !passing(err):
		return delivery.Wrap(delivery.Invalid, "the registry refuses "+ref.String(), err)
	case untrusted(err):
		return delivery.Wrap(delivery.Unavailable, "the certificate of the registry of "+repository+" is not trusted: name the authority that signed it with --registry-ca", err)
	case noTLS(err):
		return delivery.Wrap(delivery.Unavailable, "the registry of "+repository+" speaks no TLS: give it a certificate, or start the server with --registry-plain-http if it is for tests only", err)
	case passing(err):
		return delivery.Wrap(delivery.Unavailable, "the registry of "+ref.String()+" does not answer as it should; it will be tried again", err)
	}
	return err
}

// named is what errors are about: a reference or a repository.
type named interface{ String() string }

// passing tells whether the same request may succeed later.
func passing(err error) bool {
	code := status(err)
	return code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= http.StatusInternalServerError || code == 0 && cutOff(err)
}

// cutOff tells whether the network, and not the registry, ended the exchange.
func cutOff(err error) bool {
	return errors.As(err, new(*net.OpError)) || errors.As(err, new(*url.Error)) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}

func untrusted(err error) bool { return errors.As(err, new(*tls.CertificateVerificationError)) }

// noTLS tells whether a server answered TLS with something else.
func noTLS(err error) bool {
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, new(tls.RecordHeaderError))
}

// full is how registries say that a quota is used up: the specification has no code
// for it.
var full = regexp.MustCompile(`(?i)quota|storage limit|exceed the configured upper limit|insufficient storage|no space left`)

func noRoom(err error) bool {
	var e *transport.Error
	if !errors.As(err, &e) {
		return false
	}
	var said strings.Builder
	for _, d := range e.Errors {
		said.WriteString(d.String() + "\n")
	}
	return e.StatusCode == http.StatusInsufficientStorage || e.StatusCode >= http.StatusBadRequest && full.MatchString(said.String())
}
