package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/shiplock/shiplock/internal/fastcgi"
)

// dynamic answers from scripts and files: the script that the path names, the file,
// the folder's index, and else the front controller, which is index.php.
func (s *Site) dynamic(w http.ResponseWriter, r *http.Request, p string) {
	slash := strings.HasSuffix(r.URL.Path, "/")
	if sc, ok := s.script(p, r.URL.Path); ok {
		s.run(w, r, sc)
		return
	}
	index := path.Join(p, phpIndex)
	switch info, err := s.root.Stat(p); {
	case err == nil && info.Mode().IsRegular() && !secret(p):
		s.serve(w, r, p, http.StatusOK)
	case err == nil && info.IsDir() && executable(index) && s.regular(index):
		if f := folder(p, index, slash || p == "."); f.moved {
			redirect(w, r, f.name)
			return
		}
		s.run(w, r, script{name: index})
	case err == nil && info.IsDir() && s.regular(path.Join(p, "index.html")):
		if f := folder(p, path.Join(p, "index.html"), slash || p == "."); f.moved {
			redirect(w, r, f.name)
			return
		}
		s.serve(w, r, path.Join(p, "index.html"), http.StatusOK)
	case err == nil && info.Mode().IsRegular() || !s.regular(phpIndex):
		s.notFound(w, r)
	default:
		s.run(w, r, script{name: phpIndex})
	}
}

// errLimit is why a request to a script was given up.
var errLimit = errors.New("the script took too long")

// run has a script answer.
func (s *Site) run(w http.ResponseWriter, r *http.Request, sc script) {
	ctx, cancel := context.WithTimeoutCause(r.Context(), s.Limit, errLimit)
	defer cancel()
	body, length, err := s.measured(http.MaxBytesReader(w, r.Body, s.MaxBody), r.ContentLength)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	defer body.Close()
	res, err := s.PHP.Ask(ctx, fastcgi.Request{Params: s.params(r, sc, length), Body: body})
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	defer func() { _ = res.Body.Close() }() // what it could tell, reading has
	for name, values := range res.Header {
		if !hop(name) {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(res.Status)
	if err := relay(w, res.Body, strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream")); err != nil && r.Context().Err() == nil {
		fmt.Fprintf(s.Log, "error: %s: the answer was cut off: %v\n", r.URL.EscapedPath(), err)
		panic(http.ErrAbortHandler) // the client must not take it for whole
	}
}

// relay copies an answer, each piece at once when it is a stream of events.
func relay(w http.ResponseWriter, in io.Reader, live bool) error {
	if !live {
		_, err := io.Copy(w, in)
		return err
	}
	flush := http.NewResponseController(w)
	buf := make([]byte, 4<<10)
	for {
		n, err := in.Read(buf)
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		_ = flush.Flush() // the next write tells whether the client is gone
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// refuse says why no script answered.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var large *http.MaxBytesError
	switch {
	case r.Context().Err() != nil: // nobody listens any more
		return
	case errors.As(err, &large):
		plain(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("a request may hold %d bytes", large.Limit))
		return
	case errors.Is(err, errLimit):
		plain(w, http.StatusGatewayTimeout, "the answer took too long")
		err = fmt.Errorf("no answer within %s; PHP_TIME_LIMIT is the limit", s.Limit)
	default:
		plain(w, http.StatusBadGateway, "no answer: PHP failed")
	}
	fmt.Fprintf(s.Log, "error: %s %s: %v\n", r.Method, r.URL.EscapedPath(), err)
}

// measured returns the body with its length, which PHP must know beforehand: one
// of unknown length is kept in a file meanwhile.
func (s *Site) measured(body io.ReadCloser, length int64) (io.ReadCloser, int64, error) {
	if length > s.MaxBody {
		return nil, 0, &http.MaxBytesError{Limit: s.MaxBody}
	}
	if length >= 0 {
		return body, length, nil
	}
	f, err := os.CreateTemp(s.TempDir, "body-*")
	if err != nil {
		return nil, 0, err
	}
	if err = os.Remove(f.Name()); err == nil {
		length, err = io.Copy(f, body)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, length, nil
}

// params are the request's, by RFC 3875 and what PHP apps rely on beyond it.
func (s *Site) params(r *http.Request, sc script, length int64) map[string]string {
	root, err := filepath.Abs(s.Root)
	if err != nil {
		root = s.Root
	}
	p := map[string]string{
		"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "shiplock-web", "SERVER_PROTOCOL": r.Proto,
		"REQUEST_METHOD": r.Method, "REQUEST_URI": r.URL.RequestURI(), "QUERY_STRING": r.URL.RawQuery,
		"DOCUMENT_ROOT": root, "DOCUMENT_URI": "/" + sc.name,
		"SCRIPT_FILENAME": filepath.Join(root, filepath.FromSlash(sc.name)), "SCRIPT_NAME": "/" + sc.name,
		"REDIRECT_STATUS": "200", // PHP built to insist on it answers nothing without
	}
	if sc.info != "" {
		p["PATH_INFO"] = sc.info
		p["PATH_TRANSLATED"] = filepath.Join(root, filepath.FromSlash(sc.info))
	}
	p["REMOTE_ADDR"], p["REMOTE_PORT"] = split(r.RemoteAddr)
	host, port := split(r.Host)
	p["SERVER_NAME"] = host
	secure := strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") // of the proxy before us
	if secure {
		p["HTTPS"], p["REQUEST_SCHEME"] = "on", "https"
	} else {
		p["REQUEST_SCHEME"] = "http"
	}
	if port == "" {
		if port = "80"; secure {
			port = "443"
		}
	}
	p["SERVER_PORT"] = port
	p["CONTENT_LENGTH"], p["CONTENT_TYPE"] = "", r.Header.Get("Content-Type")
	if length > 0 {
		p["CONTENT_LENGTH"] = strconv.FormatInt(length, 10)
	}
	headers(p, r)
	return p
}

// headers adds the request's header. A name with an underscore could pass for
// another one, and HTTP_PROXY for a setting of the machine.
func headers(p map[string]string, r *http.Request) {
	p["HTTP_HOST"] = r.Host
	for name, values := range r.Header {
		if strings.Contains(name, "_") || name == "Proxy" || name == "Content-Type" || name == "Content-Length" || hop(name) {
			continue
		}
		separator := ", "
		if name == "Cookie" {
			separator = "; "
		}
		p["HTTP_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = strings.Join(values, separator)
	}
}

// split splits "host:port" and "host".
func split(hostport string) (host, port string) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return strings.Trim(hostport, "[]"), ""
	}
	return host, port
}
