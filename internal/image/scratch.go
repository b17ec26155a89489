package image

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/shiplock/shiplock/internal/delivery"
)

// File is one file of an image made from nothing. Its directories need no
// entries of their own.
type File struct {
	// Path in the image, such as "/etc/passwd".
	Path string
	// Mode is a file type and permissions; of these only whether it can be
	// executed is kept.
	Mode fs.FileMode
	// Data is the content of a regular file.
	Data []byte
	// Link is the target of a symbolic link.
	Link string
}

// Scratch is an image of one layer, made from files in memory. Equal files and
// settings give equal digests.
type Scratch struct {
	// Dest is the repository to push to, with or without a tag.
	Dest     string
	Platform string
	Files    []File
	Env      []string
	Cmd      []string
	// WorkingDir and User as in Spec; "" leaves them to the runtime.
	WorkingDir, User string
}

// BuildScratch assembles s and pushes it. Errors are those of Build.
func (c *Client) BuildScratch(ctx context.Context, s Scratch) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	platform, err := Spec{Platform: s.Platform}.platform()
	if err != nil {
		return Result{}, err
	}
	dest, err := parseDestination(s.Dest)
	if err != nil {
		return Result{}, err
	}
	entries, err := fileEntries(s.Files)
	if err != nil {
		return Result{}, err
	}
	start := time.Now()
	content, err := pack(ctx, c.tempDir, entries)
	if err != nil {
		return Result{}, err
	}
	added := &layer{id: content.id, content: content}
	defer added.Close()
	conn, err := c.session(ctx, platform)
	if err != nil {
		return Result{}, err
	}
	img := s.assemble(platform, added.id, entries)
	packed := time.Now()
	unchanged, err := conn.push(ctx, dest, img, []v1.Layer{added})
	if err != nil {
		return Result{}, err
	}
	r := img.result(dest, added.id)
	r.Unchanged = unchanged
	r.Timings = Timings{Layer: packed.Sub(start), Push: time.Since(packed)}
	return r, nil
}

func (s Scratch) assemble(p v1.Platform, added layerID, entries []entry) assembled {
	created := v1.Time{Time: epoch}
	config := &v1.ConfigFile{
		Created:      created,
		OS:           p.OS,
		Architecture: p.Architecture,
		Variant:      p.Variant,
		RootFS:       v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{added.DiffID}},
		History:      []v1.History{{Created: created, CreatedBy: "shiplock scratch"}},
		Config:       v1.Config{Env: s.Env, Cmd: s.Cmd, WorkingDir: s.WorkingDir, User: s.User},
	}
	return encode(config, []v1.Descriptor{descriptor(added, topPaths(entries))}, nil)
}

// fileEntries sorts the files and adds the directories above them.
func fileEntries(files []File) ([]entry, error) {
	byName := make(map[string]entry)
	for _, f := range files {
		e, err := fileEntry(f)
		if err != nil {
			return nil, err
		}
		if _, twice := byName[e.name]; twice {
			return nil, refuse(f.Path, "is listed twice")
		}
		byName[e.name] = e
	}
	for _, f := range files {
		for dir := path.Dir(imagePath(f.Path)); dir != "."; dir = path.Dir(dir) {
			if e, ok := byName[dir]; ok && !e.mode.IsDir() {
				return nil, refuse(f.Path, fmt.Sprintf("is below %s, which is no directory", dir))
			}
			byName[dir] = entry{name: dir, mode: normalMode(fs.ModeDir)}
		}
	}
	entries := make([]entry, 0, len(byName))
	for _, e := range byName {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return entries, nil
}

func fileEntry(f File) (entry, error) {
	e := entry{name: imagePath(f.Path), mode: normalMode(f.Mode)}
	switch {
	case e.name == "." || strings.HasPrefix(path.Base(e.name), whiteout):
		return e, refuse(f.Path, "is not a path that a file of an image may have")
	case f.Mode.Type() == 0:
		e.size = int64(len(f.Data))
		e.open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.Data)), nil }
	case f.Mode.Type() == fs.ModeSymlink && f.Link != "":
		e.link = f.Link
	case !f.Mode.IsDir():
		return e, delivery.E(delivery.Invalid, fmt.Sprintf("%q is not a file, directory or symbolic link", f.Path))
	}
	return e, nil
}

// imagePath is p without its leading slash, or ".".
func imagePath(p string) string {
	return cmp.Or(strings.TrimPrefix(path.Clean("/"+p), "/"), ".")
}

// topPaths lists the top-level names of a layer, or "" when they are too many to
// be worth listing.
func topPaths(entries []entry) string {
	var tops []string
	for _, e := range entries {
		top, _, _ := strings.Cut(e.name, "/")
		if strings.Contains(top, ",") {
			return ""
		}
		if !slices.Contains(tops, top) {
			tops = append(tops, top)
		}
	}
	if len(tops) > 32 {
		return ""
	}
	return strings.Join(tops, ",")
}
