package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shiplock/shiplock/internal/delivery"
)

// layerID is what a manifest and a configuration say of a layer.
type layerID struct {
	DiffID v1.Hash `json:"diffID"`
	Digest v1.Hash `json:"digest"`
	Size   int64   `json:"size"`
}

// layer is one layer made here. Its compressed form may not exist yet, when a
// cache knows what it would be.
type layer struct {
	id      layerID
	pack    func() (*spool, error)
	content *spool // nil until packed
}

func (l *layer) Digest() (v1.Hash, error)             { return l.id.Digest, nil }
func (l *layer) DiffID() (v1.Hash, error)             { return l.id.DiffID, nil }
func (l *layer) Size() (int64, error)                 { return l.id.Size, nil }
func (l *layer) MediaType() (types.MediaType, error)  { return types.OCILayer, nil }
func (l *layer) Uncompressed() (io.ReadCloser, error) { return nil, errors.ErrUnsupported }

func (l *layer) Compressed() (io.ReadCloser, error) {
	r, err := l.at(0, l.id.Size)
	return io.NopCloser(r), err
}

// at is n bytes of the compressed form from a place on. That is made when it is asked
// for first; one upload at a time may ask.
func (l *layer) at(from, n int64) (io.Reader, error) {
	if l.content == nil {
		content, err := l.pack()
		if err != nil {
			return nil, err
		}
		l.content = content
	}
	if l.content.id != l.id {
		return nil, delivery.E(delivery.Conflict, "the directory changed while its image was being pushed, or the image cache is stale; run the step again")
	}
	return io.NewSectionReader(l.content.file, from, n), nil
}

func (l *layer) Close() error {
	if l.content == nil {
		return nil
	}
	return l.content.file.Close()
}

// spool is a compressed layer in a temporary file that has no name any more.
type spool struct {
	id   layerID
	file *os.File
}

// pack compresses the entries into a temporary file.
func pack(ctx context.Context, tempDir string, entries []entry) (*spool, error) {
	f, err := os.CreateTemp(tempDir, "shiplock-layer-*")
	if err != nil {
		return nil, fmt.Errorf("make layer: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("make layer: %w", err), f.Close())
	}
	plain, packed := sha256.New(), sha256.New()
	size := &counter{}
	err = compress(ctx, io.MultiWriter(f, packed, size), func(w io.Writer) error {
		return writeTar(ctx, io.MultiWriter(w, plain), entries)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make layer: %w", err), f.Close())
	}
	return &spool{layerID{DiffID: sumOf(plain), Digest: sumOf(packed), Size: size.n}, f}, nil
}

// diffID is the digest of the uncompressed layer.
func diffID(ctx context.Context, entries []entry) (v1.Hash, error) {
	plain := sha256.New()
	if err := writeTar(ctx, plain, entries); err != nil {
		return v1.Hash{}, fmt.Errorf("read layer: %w", err)
	}
	return sumOf(plain), nil
}

func sumOf(h hash.Hash) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}
