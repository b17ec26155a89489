package registry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// largest is the size of the largest manifest.
const largest = 4 << 20

// keeper writes the manifests, which the registry holds in memory only, to disk:
// a file for each name, of the media type, a line feed, and the manifest.
type keeper struct {
	dir  string
	next http.Handler
}

// keep gives the registry the manifests of dir, and keeps what comes there.
func keep(dir string, next http.Handler) (http.Handler, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	k := &keeper{dir, next}
	// An index comes after the manifests that it names.
	for waiting := entries; len(waiting) > 0; {
		var later []fs.DirEntry
		for _, e := range waiting {
			ok, err := k.restore(e.Name())
			if err != nil {
				return nil, err
			}
			if !ok {
				later = append(later, e)
			}
		}
		if len(later) == len(waiting) {
			return nil, fmt.Errorf("%s: %d manifests name others that are not there, such as %s", dir, len(later), later[0].Name())
		}
		waiting = later
	}
	return k, nil
}

func (k *keeper) restore(file string) (bool, error) {
	path, err := url.PathUnescape(file)
	if err != nil {
		return false, err
	}
	content, err := os.ReadFile(filepath.Join(k.dir, file))
	if err != nil {
		return false, err
	}
	kind, manifest, _ := bytes.Cut(content, []byte("\n"))
	r := httptest.NewRequest(http.MethodPut, path, bytes.NewReader(manifest))
	r.Header.Set("Content-Type", string(kind))
	w := httptest.NewRecorder()
	k.next.ServeHTTP(w, r)
	return w.Code == http.StatusCreated, nil
}

func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.URL.Path, "/manifests/") {
		k.next.ServeHTTP(w, r)
		return
	}
	var err error
	switch r.Method {
	case http.MethodPut:
		err = k.put(r)
	case http.MethodDelete:
		err = k.remove(r.URL.Path)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	k.next.ServeHTTP(w, r)
}

// put writes a manifest before it is taken: one that is then refused is refused at
// the next start, too.
func (k *keeper) put(r *http.Request) error {
	manifest, err := io.ReadAll(io.LimitReader(r.Body, largest))
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(manifest))
	f, err := os.CreateTemp(filepath.Dir(k.dir), "manifest-")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s\n%s", r.Header.Get("Content-Type"), manifest)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), k.file(r.URL.Path))
}

func (k *keeper) remove(path string) error {
	if err := os.Remove(k.file(path)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (k *keeper) file(path string) string { return filepath.Join(k.dir, url.PathEscape(path)) }
