package fastcgi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Request is what a responder is asked. Its Body is read to its end or until the
// answer is closed; nil is empty.
type Request struct {
	Params map[string]string
	Body   io.Reader
	// Errors takes what the responder says beside its answer; nil drops it. It is
	// written to by one goroutine at a time, until Close returns.
	Errors io.Writer
}

// Dialer opens a connection for one request.
type Dialer func(ctx context.Context) (net.Conn, error)

// Do asks one request. The answer's Body must be closed. When ctx ends, so does the
// connection, and reading the Body fails.
func Do(ctx context.Context, dial Dialer, r Request) (*Response, error) {
	conn, err := dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("reach the FastCGI responder: %w", err)
	}
	x := &exchange{conn: conn, ctx: ctx}
	x.release = context.AfterFunc(ctx, func() { _ = conn.Close() })
	// Both ways at once: a responder may answer before it has read all.
	x.sending.Go(func() { _ = send(conn, r) }) // the answer tells
	x.answer = &stream{in: bufio.NewReaderSize(conn, 32<<10), errors: r.Errors}
	res, err := readResponse(x.answer)
	if err != nil {
		return nil, errors.Join(x.explain(err), x.Close())
	}
	res.Body = x.body(res.Body)
	return res, nil
}

// exchange is a request under way; it owns the connection and the sender.
type exchange struct {
	conn    net.Conn
	ctx     context.Context // of the request, as long as the exchange itself
	release func() bool
	sending sync.WaitGroup
	answer  *stream
	once    sync.Once
}

func (x *exchange) Close() error {
	x.once.Do(func() {
		x.release()
		_ = x.conn.Close() // ends the sender, too
		x.sending.Wait()
	})
	return nil
}

// explain names the reason of an error that ended the connection.
func (x *exchange) explain(err error) error {
	if x.ctx.Err() != nil {
		return context.Cause(x.ctx)
	}
	return err
}

func (x *exchange) body(in io.Reader) io.ReadCloser { return &body{in, x} }

type body struct {
	in io.Reader
	*exchange
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	if err != nil && err != io.EOF {
		err = b.explain(err)
	}
	return n, err
}

func send(conn io.Writer, r Request) error {
	w := bufio.NewWriterSize(conn, 32<<10)
	begin := appendHeader(nil, beginRequest, 8)
	begin = append(begin, 0, roleResponder, 0, 0, 0, 0, 0, 0) // no keep-alive
	if _, err := w.Write(begin); err != nil {
		return err
	}
	var pairs []byte
	for name, value := range r.Params {
		pairs = appendPair(pairs, name, value)
	}
	for len(pairs) > 0 {
		n := min(len(pairs), maxContent)
		if err := writeRecord(w, params, pairs[:n]); err != nil {
			return err
		}
		pairs = pairs[n:]
	}
	if err := writeRecord(w, params, nil); err != nil {
		return err
	}
	if err := sendBody(w, r.Body); err != nil {
		return err
	}
	if err := writeRecord(w, stdin, nil); err != nil {
		return err
	}
	return w.Flush()
}

func sendBody(w *bufio.Writer, in io.Reader) error {
	if in == nil {
		return nil
	}
	if err := w.Flush(); err != nil { // the responder may start
		return err
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := in.Read(buf)
		if n > 0 {
			if err := writeRecord(w, stdin, buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the request's body: %w", err)
		}
	}
}

func writeRecord(w *bufio.Writer, k kind, content []byte) error {
	if _, err := w.Write(appendHeader(w.AvailableBuffer(), k, len(content))); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}
