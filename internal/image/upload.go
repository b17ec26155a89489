package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/errgroup"
)

// uploader brings blobs to one repository.
type uploader struct {
	http  *http.Client
	repo  name.Repository
	chunk int64
	pause time.Duration
}

// upload brings the blobs to repo that it lacks, a few at a time.
func (s session) upload(ctx context.Context, repo name.Repository, blobs []v1.Layer) error {
	u, err := s.client.uploader(ctx, repo, blobs)
	if err != nil {
		return registryError("push to", toPush, repo, err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, b := range blobs {
		if t, err := b.MediaType(); err == nil && !t.IsDistributable() {
			continue
		}
		g.Go(func() error {
			if err := u.bring(ctx, b); err != nil {
				return registryError("push to", toPush, repo, err)
			}
			return nil
		})
	}
	return g.Wait()
}

func (c *Client) uploader(ctx context.Context, repo name.Repository, blobs []v1.Layer) (*uploader, error) {
	auth, err := authn.Resolve(ctx, c.keys, repo)
	if err != nil {
		return nil, err
	}
	scopes := []string{repo.Scope(transport.PushScope)} // some registries look at the first one only
	for _, b := range blobs {
		if from, ok := mountable(b, repo); ok && !slices.Contains(scopes, from.Scope(transport.PullScope)) {
			scopes = append(scopes, from.Scope(transport.PullScope))
		}
	}
	t, err := transport.NewWithContext(ctx, repo.Registry, auth, transport.NewUserAgent(c.transport, "shiplock"), scopes)
	if err != nil {
		return nil, err
	}
	return &uploader{http: &http.Client{Transport: t}, repo: repo, chunk: c.chunk, pause: c.pause}, nil
}

// mountable tells in which other repository of repo's registry a blob is.
func mountable(b v1.Layer, repo name.Repository) (from name.Repository, ok bool) {
	m, ok := b.(*remote.MountableLayer)
	if !ok {
		return from, false
	}
	from = m.Reference.Context()
	return from, from.RegistryStr() == repo.RegistryStr() && from.RepositoryStr() != repo.RepositoryStr()
}

const (
	// patience is how often in a row an upload fails before it is given up, without
	// getting further: for about 20 seconds.
	patience    = 8
	longestWait = 30 * time.Second
)

// bring uploads a blob unless it is there. What breaks off goes on where the registry
// has it up to, or from the beginning if the registry does not say.
func (u *uploader) bring(ctx context.Context, b v1.Layer) error {
	t, err := u.transfer(b)
	if err != nil {
		return err
	}
	defer t.from.close()
	pause, furthest := u.pause, int64(0)
	for failed := 1; ; failed++ {
		err := t.run(ctx)
		if err == nil || ctx.Err() != nil || !passing(err) && !errors.Is(err, errAgain) {
			return err
		}
		if t.have > furthest {
			pause, furthest, failed = u.pause, t.have, 1
		}
		if failed == patience {
			return err
		}
		var asked *askedToWait
		if errors.As(err, &asked) {
			pause = max(pause, asked.pause)
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
		pause *= 2
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(min(d, longestWait))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// do sends a request of an upload and checks the answer's status.
func (u *uploader) do(r *http.Request, want ...int) (*http.Response, error) {
	res, err := u.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() // everything that matters is in the header
	err = transport.CheckError(res, want...)
	if seconds, no := strconv.Atoi(res.Header.Get("Retry-After")); err != nil && no == nil {
		err = &askedToWait{err, time.Duration(seconds) * time.Second}
	}
	return res, err
}

// askedToWait is an answer that says when to come again.
type askedToWait struct {
	error
	pause time.Duration
}

func (a *askedToWait) Unwrap() error { return a.error }

func (u *uploader) url(path string, query url.Values) string {
	at := url.URL{Scheme: u.repo.Scheme(), Host: u.repo.RegistryStr(), Path: "/v2/" + u.repo.RepositoryStr() + path, RawQuery: query.Encode()}
	return at.String()
}

// has tells whether the repository has the blob.
func (u *uploader) has(ctx context.Context, digest v1.Hash) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, u.url("/blobs/"+digest.String(), nil), nil)
	if err != nil {
		return false, err
	}
	res, err := u.do(r, http.StatusOK, http.StatusNotFound)
	return err == nil && res.StatusCode == http.StatusOK, err
}

// start mounts the blob from another repository, or opens an upload of it.
func (u *uploader) start(ctx context.Context, b v1.Layer, digest v1.Hash) (location string, mounted bool, err error) {
	query := url.Values{}
	from, mount := mountable(b, u.repo)
	if mount {
		query = url.Values{"mount": {digest.String()}, "from": {from.RepositoryStr()}}
	}
	res, err := u.open(ctx, query)
	if code := status(err); mount && code >= 400 && code < 500 {
		res, err = u.open(ctx, nil) // it may not read there, or does not know mounts
	}
	if err != nil || res.StatusCode == http.StatusCreated {
		return "", err == nil, err
	}
	location, err = next(res)
	return location, false, err
}

func (u *uploader) open(ctx context.Context, query url.Values) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url("/blobs/uploads/", query), nil)
	if err != nil {
		return nil, err
	}
	return u.do(r, http.StatusCreated, http.StatusAccepted)
}

// next is where an upload goes on.
func next(res *http.Response) (string, error) {
	at, err := res.Location()
	if err != nil {
		return "", fmt.Errorf("the registry does not say where the upload goes on: %w", err)
	}
	return at.String(), nil
}
