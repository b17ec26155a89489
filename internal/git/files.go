package git

import (
	"context"
	"errors"
	"os"
	"path"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	filesLimit = 30 * time.Second
	// maxEntries bounds the list of entries that are asked for by name, in bytes.
	maxEntries = 1 << 20
)

// Files reads, for each name, the nearest file of a commit from a folder up to the
// repository's root, as a checkout would have it; what is nowhere is left out. It
// fetches the commit's trees and these files alone, where the server knows partial
// clones, and takes at most 30 seconds.
func Files(ctx context.Context, r Remote, commit, folder string, names []string) ([]delivery.SourceFile, error) {
	remote, err := r.endpoint()
	if err != nil {
		return nil, err
	}
	if err := checkSHA(commit); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, filesLimit)
	defer cancel()
	dir, err := os.MkdirTemp("", "shiplock-files-")
	if err != nil {
		return nil, delivery.Wrap(delivery.Internal, "make a directory to read a commit's files in", err)
	}
	defer os.RemoveAll(dir)
	s := snapshot{newProcess(remote, fetchSettings()), newProcess(endpoint{protocols: "none"}, nil), dir}
	if err := s.initBare(ctx, dir, commit); err != nil {
		return nil, err
	}
	ctx, stop := watchSize(ctx, dir, maxTrees)
	defer stop()
	if err := s.fetch(ctx, commit, "--depth=1", "--filter=blob:none"); err != nil {
		return nil, err
	}
	entries, err := s.entries(ctx, commit, folder, names)
	if err != nil {
		return nil, err
	}
	return s.read(ctx, nearest(entries, folder, names))
}

// snapshot is a bare repository that holds one commit with its trees.
type snapshot struct {
	process         // may speak to the remote
	local   process // may not: what is missing stays missing
	dir     string
}

// entry is what a tree says of a name.
type entry struct{ path, mode, object string }

func (s snapshot) fetch(ctx context.Context, what string, options ...string) error {
	args := append([]string{"fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"}, options...)
	_, err := s.run(ctx, s.dir, maxChatter, append(args, "--end-of-options", s.url, what)...)
	return err
}

// entries finds the names in all folders, by path.
func (s snapshot) entries(ctx context.Context, commit, folder string, names []string) (map[string]entry, error) {
	args := []string{"--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--"}
	for _, at := range upwards(folder) {
		for _, name := range names {
			args = append(args, path.Join(at, name))
		}
	}
	out, err := s.local.run(ctx, s.dir, maxEntries, args...)
	if err != nil {
		return nil, err
	}
	found := map[string]entry{}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		meta, at, _ := strings.Cut(line, "\t")
		if f := strings.Fields(meta); len(f) == 3 {
			found[at] = entry{at, f[0], f[2]}
		}
	}
	return found, nil
}

// upwards are a folder and all those around it; "." is the root.
func upwards(folder string) []string {
	at := path.Clean(folder)
	list := []string{at}
	for at != "." && at != "/" {
		at = path.Dir(at)
		list = append(list, at)
	}
	return list
}

func nearest(found map[string]entry, folder string, names []string) []entry {
	var list []entry
	for _, name := range names {
		for _, at := range upwards(folder) {
			if e, ok := found[path.Join(at, name)]; ok {
				list = append(list, e)
				break
			}
		}
	}
	return list
}

func (s snapshot) read(ctx context.Context, entries []entry) ([]delivery.SourceFile, error) {
	files := make([]delivery.SourceFile, len(entries))
	for i, e := range entries {
		files[i].Path = e.path
		switch e.mode {
		case "100644", "100755", "100664":
		case "120000":
			files[i].Problem = delivery.SourceSymlink
			continue
		default: // a folder or a submodule
			files[i].Problem = delivery.SourceIrregular
			continue
		}
		text, err := s.text(ctx, e.object)
		switch {
		case errors.Is(err, errTooMuch):
			files[i].Problem = delivery.SourceLarge
		case err != nil:
			return nil, err
		default:
			files[i].Text = text
		}
	}
	return files, nil
}

// text is a file's content, which is fetched unless it came with the commit.
func (s snapshot) text(ctx context.Context, object string) (string, error) {
	if _, err := s.local.run(ctx, s.dir, maxChatter, "cat-file", "-e", object); err != nil {
		if err := s.fetch(ctx, object); err != nil {
			return "", err
		}
	}
	out, err := s.local.run(ctx, s.dir, delivery.MaxSourceFile, "cat-file", "blob", object)
	return strings.ToValidUTF8(string(out), "\ufffd"), err
}
