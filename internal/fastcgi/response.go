package fastcgi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// maxHead bounds the header of an answer in bytes.
const maxHead = 256 << 10

// Response is an answer as RFC 3875 defines it.
type Response struct {
	Status int
	Header http.Header
	Body   io.ReadCloser
}

// stream is the answer's output, out of the records that carry it.
type stream struct {
	in     *bufio.Reader
	errors io.Writer
	left   int // of the current record's content
	pad    int
	done   bool
	err    error // that ended it
}

func (s *stream) Read(p []byte) (int, error) {
	for s.left == 0 && s.err == nil {
		if s.done {
			return 0, io.EOF
		}
		s.err = s.next()
	}
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.in.Read(p[:min(len(p), s.left)])
	s.left -= n
	s.err = unexpected(err)
	return n, s.err
}

// next goes to the next record of output, and deals with the others.
func (s *stream) next() error {
	if _, err := s.in.Discard(s.pad); err != nil {
		return unexpected(err)
	}
	h, err := readHeader(s.in)
	if err != nil {
		return unexpected(err)
	}
	s.pad = h.padding
	switch h.kind {
	case stdout:
		s.left = h.length
		return nil
	case stderr:
		return s.complain(h.length)
	case endRequest:
		return s.end(h.length)
	}
	_, err = s.in.Discard(h.length) // such as an answer about the responder's limits
	return unexpected(err)
}

func (s *stream) complain(length int) error {
	w := s.errors
	if w == nil {
		w = io.Discard
	}
	_, err := io.CopyN(w, s.in, int64(length))
	return unexpected(err)
}

var refusals = map[byte]string{
	1: "it takes one request per connection",
	2: "it is overloaded",
	3: "it does not answer requests",
}

func (s *stream) end(length int) error {
	content := make([]byte, length)
	if _, err := io.ReadFull(s.in, content); err != nil {
		return unexpected(err)
	}
	if length != 8 {
		return fmt.Errorf("%w: an end of %d bytes", errProtocol, length)
	}
	s.done = true
	if why, ok := refusals[content[4]]; ok {
		return fmt.Errorf("the FastCGI responder refused the request: %s", why)
	}
	return nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the FastCGI responder closed the connection too early: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// readResponse reads the head of an answer; Body is the rest.
func readResponse(s *stream) (*Response, error) {
	head := &io.LimitedReader{R: s, N: maxHead}
	in := bufio.NewReader(head)
	fields, err := textproto.NewReader(in).ReadMIMEHeader()
	switch {
	case s.err != nil:
		return nil, s.err
	case err != nil && head.N <= 0:
		return nil, fmt.Errorf("%w: a header of more than %d bytes", errProtocol, maxHead)
	case err != nil:
		return nil, fmt.Errorf("%w: an answer without a whole header", errProtocol)
	}
	head.N = 1<<63 - 1
	r := &Response{Header: http.Header(fields), Body: io.NopCloser(in)}
	if r.Status, err = status(r.Header); err != nil {
		return nil, err
	}
	r.Header.Del("Status")
	return r, nil
}

// status is what the Status field says, or what it means that there is none.
func status(h http.Header) (int, error) {
	text := h.Get("Status")
	if text == "" {
		if h.Get("Location") != "" {
			return http.StatusFound, nil
		}
		return http.StatusOK, nil
	}
	code, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	n, err := strconv.Atoi(code)
	if err != nil || n < 200 || n > 599 {
		return 0, fmt.Errorf("%w: status %.40q", errProtocol, text)
	}
	return n, nil
}
