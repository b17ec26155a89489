package image

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// extractor puts what layers hold at or below one path into a directory. The
// os.Root makes an escape impossible, also through links that a layer made.
type extractor struct {
	root     *os.Root
	under    string // path in the image, without leading slash; "." is all
	maxBytes int64
	maxFiles int

	bytes int64
	files int
	links []string
	// fresh holds what the layer being applied has made: its deletions are
	// about the layers below it only.
	fresh map[string]bool
}

// layerBound is the longest uncompressed layer that is read: what is filtered
// out costs time as well.
func (x *extractor) layerBound() int64 { return 1<<30 + 16*x.maxBytes }

// maxPath bounds a path in an image in bytes, as Linux does.
const maxPath = 4096

// apply applies one uncompressed layer and tells whether anything in it was
// about the path. It reads to the end, which is where a digest is verified.
func (x *extractor) apply(ctx context.Context, r io.Reader) (matched bool, err error) {
	x.fresh = make(map[string]bool)
	bounded := &io.LimitedReader{R: r, N: x.layerBound()}
	tr := tar.NewReader(bounded)
	for {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		h, err := tr.Next()
		if bounded.N <= 0 {
			return false, x.tooBig()
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, malformed(err)
		}
		hit, err := x.entry(h, tr)
		if err != nil {
			return false, err
		}
		matched = matched || hit
	}
	_, err = io.Copy(io.Discard, bounded)
	return matched, err
}

// malformed is a stream that is not a tar file. Errors of the transport pass.
func malformed(err error) error {
	for _, bad := range []error{tar.ErrHeader, tar.ErrFieldTooLong, gzip.ErrHeader, gzip.ErrChecksum} {
		if errors.Is(err, bad) {
			return delivery.Wrap(delivery.Invalid, "a layer of the image is not a tar file", err)
		}
	}
	return err
}

func (x *extractor) tooBig() error {
	return delivery.E(delivery.Invalid, fmt.Sprintf("the image has more than %d bytes or %d files at /%s", x.maxBytes, x.maxFiles, x.under))
}

// entry applies one entry of a layer, if it is about the path.
func (x *extractor) entry(h *tar.Header, content io.Reader) (bool, error) {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return false, nil
	}
	if len(h.Name) > maxPath || strings.Contains(h.Name, "\x00") || slices.Contains(strings.Split(h.Name, "/"), "..") {
		return false, refuse(h.Name, "is no path inside an image")
	}
	p := imagePath(h.Name)
	dir, base := path.Split(p)
	dir = path.Clean(dir)
	switch {
	case base == whiteout+whiteout+".opq":
		return x.deleteBelow(dir)
	case strings.HasPrefix(base, whiteout+whiteout): // aufs bookkeeping
		return false, nil
	case base == whiteout || base == whiteout+"." || base == whiteout+"..":
		return false, refuse(h.Name, "deletes no file in particular")
	case strings.HasPrefix(base, whiteout):
		return x.delete(path.Join(dir, strings.TrimPrefix(base, whiteout)))
	case within(p, x.under):
		return true, x.create(relative(p, x.under), h, content)
	case within(x.under, p):
		return x.replaceAbove(p, h)
	}
	return false, nil
}

// replaceAbove handles an entry for a directory that leads to the path.
func (x *extractor) replaceAbove(p string, h *tar.Header) (bool, error) {
	switch h.Typeflag {
	case tar.TypeDir:
		return false, nil
	case tar.TypeSymlink, tar.TypeLink:
		return false, refuse("/"+p, "is a link in the image; give the path that it leads to")
	}
	return true, x.clear(".")
}

func (x *extractor) deleteBelow(dir string) (bool, error) {
	switch {
	case within(x.under, dir):
		return true, x.clear(".")
	case within(dir, x.under):
		return true, x.clear(relative(dir, x.under))
	}
	return false, nil
}

func (x *extractor) delete(p string) (bool, error) {
	switch {
	case within(x.under, p):
		return true, x.clear(".")
	case within(p, x.under):
		name := relative(p, x.under)
		if err := x.clear(name); err != nil || x.fresh[name] {
			return true, err
		}
		return true, x.root.RemoveAll(name)
	}
	return false, nil
}

// clear deletes what earlier layers left below the directory name.
func (x *extractor) clear(name string) error {
	info, err := x.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil
	}
	if err != nil {
		return err
	}
	entries, err := fs.ReadDir(x.root.FS(), name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		child := path.Join(name, e.Name())
		if x.fresh[child] {
			err = x.clear(child)
		} else {
			err = x.root.RemoveAll(child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// create makes one entry, replacing what is there; only a directory over a
// directory keeps its content.
func (x *extractor) create(name string, h *tar.Header, content io.Reader) error {
	if x.files++; x.files > x.maxFiles {
		return x.tooBig()
	}
	if name == "." {
		if h.Typeflag != tar.TypeDir {
			return refuse("/"+x.under, "is no directory in the image")
		}
		return nil
	}
	if err := x.makeParents(name); err != nil {
		return err
	}
	if err := x.makeRoom(name, h.Typeflag == tar.TypeDir); err != nil {
		return err
	}
	x.fresh[name] = true
	switch h.Typeflag {
	case tar.TypeDir:
		return x.makeDir(name, h.FileInfo().Mode())
	case tar.TypeReg, tar.TypeGNUSparse:
		return x.makeFile(name, h, content)
	case tar.TypeSymlink:
		return x.makeLink(name, h.Linkname)
	case tar.TypeLink:
		return x.makeHardLink(name, h.Linkname)
	}
	return refuse(h.Name, "is a device, pipe or socket in the image")
}

func (x *extractor) makeParents(name string) error {
	dir := path.Dir(name)
	for d := dir; d != "." && !x.fresh[d]; d = path.Dir(d) {
		x.fresh[d] = true
	}
	if err := x.root.MkdirAll(dir, 0o755); err != nil {
		return delivery.Wrap(delivery.Invalid, fmt.Sprintf("%.300q has no directory to be in", name), err)
	}
	return nil
}

func (x *extractor) makeRoom(name string, forDir bool) error {
	info, err := x.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && forDir && info.IsDir() {
		return nil
	}
	if err != nil {
		return delivery.Wrap(delivery.Invalid, fmt.Sprintf("%.300q cannot be replaced", name), err)
	}
	return x.root.RemoveAll(name)
}

// makeDir keeps the directory usable to us, its owner.
func (x *extractor) makeDir(name string, mode fs.FileMode) error {
	if err := x.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return x.root.Chmod(name, mode.Perm()|0o700)
}

func (x *extractor) makeFile(name string, h *tar.Header, content io.Reader) error {
	if h.Size > x.maxBytes-x.bytes {
		return x.tooBig()
	}
	f, err := x.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(content, h.Size))
	x.bytes += n
	if err == nil {
		err = f.Chmod(h.FileInfo().Mode().Perm() | 0o400)
	}
	return errors.Join(malformed(err), f.Close())
}

// makeLink makes a symbolic link. One to an absolute path inside the unpacked
// part is made relative, so that it means the same out here.
func (x *extractor) makeLink(name, target string) error {
	if path.IsAbs(target) {
		to := imagePath(target)
		if !within(to, x.under) {
			return refuse(name, fmt.Sprintf("is a symbolic link out of /%s, to %.200q", x.under, target))
		}
		rel, err := filepath.Rel(path.Dir(name), relative(to, x.under))
		if err != nil {
			return err
		}
		target = filepath.ToSlash(rel)
	}
	if leaves(name, target) {
		return refuse(name, fmt.Sprintf("is a symbolic link out of /%s, to %.200q", x.under, target))
	}
	x.links = append(x.links, name)
	return x.root.Symlink(target, name)
}

func (x *extractor) makeHardLink(name, target string) error {
	to := imagePath(target)
	if !within(to, x.under) || slices.Contains(strings.Split(target, "/"), "..") {
		return refuse(name, fmt.Sprintf("is a hard link out of /%s, to %.200q", x.under, target))
	}
	// A symbolic link would mean something else in another directory.
	info, err := x.root.Lstat(relative(to, x.under))
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrInvalid
	}
	if err == nil {
		err = x.root.Link(relative(to, x.under), name)
	}
	return delivery.Wrap(delivery.Invalid, fmt.Sprintf("%.300q is a hard link to nothing that can be linked", name), err)
}

// checkLinks refuses links that lead out only together with other links.
func (x *extractor) checkLinks() error {
	for _, name := range x.links {
		info, err := x.root.Lstat(name)
		if err != nil || info.Mode().Type() != fs.ModeSymlink {
			continue // a later layer replaced it
		}
		if escapes(x.root, name) {
			return refuse(name, "is a symbolic link that leads out of the image")
		}
	}
	return nil
}
