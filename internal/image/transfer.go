package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// errAgain means that the registry lost an upload, or refused to go on with it.
var errAgain = errors.New("the upload begins again")

// maxRefused is how many chunks are refused before a blob is sent in one piece.
const maxRefused = 2

// transfer is the upload of one blob, as far as it is known to have come.
type transfer struct {
	*uploader
	blob   v1.Layer
	digest v1.Hash
	size   int64
	from   *source

	location string // of the open upload; "" is none
	have     int64  // bytes that the registry has
	broken   bool   // have is out of date
	refused  int    // how often it did not take a chunk
}

func (u *uploader) transfer(b v1.Layer) (*transfer, error) {
	digest, err := b.Digest()
	if err != nil {
		return nil, err
	}
	size, err := b.Size()
	if err != nil {
		return nil, err
	}
	return &transfer{uploader: u, blob: b, digest: digest, size: size, from: &source{blob: b}}, nil
}

// run does what is left; a call after an error goes on.
func (t *transfer) run(ctx context.Context) (err error) {
	defer func() { t.broken = err != nil }()
	if t.location != "" && t.broken {
		if err := t.resume(ctx); err != nil {
			return err
		}
	}
	if t.location == "" {
		if done, err := t.begin(ctx); done || err != nil {
			return err
		}
	}
	for t.have < t.size {
		if err := t.send(ctx); err != nil {
			return err
		}
	}
	return t.finish(ctx)
}

// begin opens the upload; done says that there is nothing to send.
func (t *transfer) begin(ctx context.Context) (done bool, err error) {
	if done, err := t.has(ctx, t.digest); done || err != nil {
		return done, err
	}
	t.have = 0
	t.location, done, err = t.start(ctx, t.blob, t.digest)
	return done, err
}

// resume asks how far the upload has come.
func (t *transfer) resume(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.location, nil)
	if err != nil {
		return err
	}
	res, err := t.do(r, http.StatusNoContent, http.StatusOK)
	if err != nil {
		return t.lost(err)
	}
	if t.have = received(res); t.have > t.size {
		t.location = ""
		return errAgain
	}
	return t.follow(res)
}

// send sends the next chunk: all of it, when the registry takes no chunks.
func (t *transfer) send(ctx context.Context) error {
	n := t.size - t.have
	if t.refused < maxRefused {
		n = min(n, t.chunk)
	}
	again := func() (io.ReadCloser, error) { return t.from.section(t.have, n) }
	body, err := again()
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPatch, t.location, body)
	if err != nil {
		return err
	}
	r.ContentLength, r.GetBody = n, again
	r.Header.Set("Content-Type", "application/octet-stream")
	if n < t.size { // some registries know no ranges at all
		r.Header.Set("Content-Range", fmt.Sprintf("%d-%d", t.have, t.have+n-1))
	}
	res, err := t.do(r, http.StatusAccepted, http.StatusNoContent, http.StatusCreated)
	if err = t.lost(err); err != nil {
		if errors.Is(err, errAgain) {
			t.refused++
		}
		return err
	}
	t.have += n
	if got := received(res); got > 0 && got < t.have {
		t.have = got
	}
	return t.follow(res)
}

// finish makes the upload a blob.
func (t *transfer) finish(ctx context.Context) error {
	at, err := url.Parse(t.location)
	if err != nil {
		return err
	}
	query := at.Query()
	query.Set("digest", t.digest.String())
	at.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, at.String(), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/octet-stream")
	_, err = t.do(r, http.StatusCreated, http.StatusNoContent)
	return t.lost(err)
}

// lost begins again when the registry, by its answer, does not go on with an upload.
func (t *transfer) lost(err error) error {
	e := (*transport.Error)(nil)
	if !errors.As(err, &e) {
		return err
	}
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestedRangeNotSatisfiable:
		t.location = ""
		return fmt.Errorf("%w: %w", errAgain, err)
	}
	return err
}

// follow goes where the registry says, or stays.
func (t *transfer) follow(res *http.Response) error {
	if res.Header.Get("Location") == "" {
		return nil
	}
	at, err := next(res)
	if err == nil {
		t.location = at
	}
	return err
}

// received is how many bytes an upload has by its "Range: 0-last"; 0 when it says
// nothing, and for "0-0", which is how registries say that there is nothing yet.
func received(res *http.Response) int64 {
	_, last, ok := strings.Cut(res.Header.Get("Range"), "-")
	n, err := strconv.ParseInt(last, 10, 64)
	if !ok || err != nil || n <= 0 {
		return 0
	}
	return n + 1
}
