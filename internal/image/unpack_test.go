package image_test

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/image"
)

func dir(name string) tar.Header  { return tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755} }
func file(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644} }
func link(name, to string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to}
}
func hard(name, to string) tar.Header {
	return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: to}
}

// content of a file in a test layer: which layer it is from.
func content(layer int) string { return "layer " + string(rune('0'+layer)) }

// pushLayers pushes an image whose layers hold the headers, in order.
func pushLayers(t *testing.T, h *host, layers ...[]tar.Header) (ref string) {
	t.Helper()
	img := empty.Image
	for i, headers := range layers {
		var b bytes.Buffer
		tw := tar.NewWriter(&b)
		for _, header := range headers {
			if header.Typeflag == tar.TypeReg {
				header.Size = int64(len(content(i)))
			}
			if err := tw.WriteHeader(&header); err != nil {
				t.Fatal(err)
			}
			if header.Typeflag == tar.TypeReg {
				io.WriteString(tw, content(i))
			}
		}
		tw.Close()
		l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
		if err != nil {
			t.Fatal(err)
		}
		if img, err = mutate.AppendLayers(img, l); err != nil {
			t.Fatal(err)
		}
	}
	tag, err := name.NewTag(h.name + "/handmade:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, img); err != nil {
		t.Fatal(err)
	}
	digest, _ := img.Digest()
	return tag.Context().Digest(digest.String()).String()
}

// listing describes a directory: what each path holds, or leads to.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := make(map[string]string)
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		switch {
		case d.IsDir():
			got[rel] = "dir"
		case d.Type() == fs.ModeSymlink:
			to, err := os.Readlink(p)
			got[rel] = "-> " + to
			return err
		default:
			b, err := os.ReadFile(p)
			got[rel] = string(b)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestUnpackAppliesLayers(t *testing.T) {
	h, c := newHost(t), image.New(image.Config{})
	for what, test := range map[string]struct {
		layers [][]tar.Header
		want   map[string]string
	}{
		"only the path": {
			[][]tar.Header{{file("etc/passwd"), file("home/services/a"), file("home/services2/b"), file("./home/services/./c")}},
			map[string]string{"a": content(0), "c": content(0)},
		},
		"absolute names": {
			[][]tar.Header{{file("/home/services/a")}},
			map[string]string{"a": content(0)},
		},
		"replaced and deleted": {
			[][]tar.Header{{file("home/services/a"), file("home/services/b"), file("home/services/d/x")}, {file("home/services/a"), file("home/services/.wh.b"), file("home/services/.wh.d")}},
			map[string]string{"a": content(1)},
		},
		"a deletion is not about its own layer": {
			[][]tar.Header{{file("home/services/d/old")}, {file("home/services/d/new"), file("home/services/.wh.d")}},
			map[string]string{"d": "dir", "d/new": content(1)},
		},
		"opaque directory": {
			[][]tar.Header{{file("home/services/d/old"), file("home/services/d/e/old")}, {file("home/services/d/e/new"), file("home/services/d/.wh..wh..opq")}},
			map[string]string{"d": "dir", "d/e": "dir", "d/e/new": content(1)},
		},
		"deleted from above": {
			[][]tar.Header{{file("home/services/old")}, {file(".wh.home"), file("home/services/new")}},
			map[string]string{"new": content(1)},
		},
		"opaque above": {
			[][]tar.Header{{file("home/services/old")}, {file("home/.wh..wh..opq"), file("home/services/new")}},
			map[string]string{"new": content(1)},
		},
		"links inside": {
			[][]tar.Header{{file("home/services/d/f"), link("home/services/d/rel", "../d/f"), link("home/services/d/abs", "/home/services/d/f"), link("home/services/none", "nothing"), hard("home/services/h", "home/services/d/f")}},
			map[string]string{"d": "dir", "d/f": content(0), "d/rel": "-> ../d/f", "d/abs": "-> f", "none": "-> nothing", "h": content(0)},
		},
		"a file replaces a link": {
			[][]tar.Header{{file("home/services/target"), link("home/services/l", "target")}, {file("home/services/l")}},
			map[string]string{"target": content(0), "l": content(1)},
		},
		"a file replaces a directory": {
			[][]tar.Header{{file("home/services/d/f")}, {file("home/services/d")}},
			map[string]string{"d": content(1)},
		},
	} {
		t.Run(what, func(t *testing.T) {
			to := filepath.Join(t.TempDir(), "app")
			if err := c.Unpack(t.Context(), image.UnpackSpec{Ref: pushLayers(t, h, test.layers...), Dir: to}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, listing(t, to)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestUnpackRefusesHostileImages(t *testing.T) {
	h, c := newHost(t), image.New(image.Config{})
	for what, layers := range map[string][][]tar.Header{
		"parent":               {{file("home/services/../../../x")}},
		"link out":             {{link("home/services/l", "../../x")}},
		"absolute link":        {{link("home/services/l", "/etc")}},
		"write through a link": {{link("home/services/l", "/etc"), file("home/services/l/x")}},
		"link over links":      {{link("home/services/d/up", ".."), link("home/services/d/l", "up/../x")}},
		"link below a link":    {{link("home/services/here", "."), link("home/services/here/l", "../x")}},
		"hard link out":        {{hard("home/services/h", "etc/passwd")}},
		"hard link up":         {{hard("home/services/h", "../../etc/passwd")}},
		"hard link to a link":  {{dir("home/services/d"), link("home/services/d/l", "../x"), hard("home/services/l", "home/services/d/l")}},
		"device":               {{{Typeflag: tar.TypeChar, Name: "home/services/null", Devmajor: 1, Devminor: 3}}},
		"pipe":                 {{{Typeflag: tar.TypeFifo, Name: "home/services/p"}}},
		"link above":           {{link("home", "data")}},
		"the path is a file":   {{file("home/services")}},
		"below a file":         {{file("home/services/f"), file("home/services/f/g")}},
		"deletes its parent":   {{file("home/services/d/.wh...")}},
		"deletes itself":       {{file("home/services/d/.wh..")}},
		"deletes nothing":      {{file("home/services/d/.wh.")}},
		"nothing there":        {{file("etc/passwd")}},
		"too deep":             {{file("home/services/" + strings.Repeat("d/", 3000) + "f")}},
	} {
		t.Run(what, func(t *testing.T) {
			parent := t.TempDir()
			err := c.Unpack(t.Context(), image.UnpackSpec{Ref: pushLayers(t, h, layers...), Dir: filepath.Join(parent, "app")})
			if delivery.KindOf(err) != delivery.Invalid {
				t.Errorf("err = %v", err)
			}
			if left, _ := os.ReadDir(parent); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestUnpackIsBounded(t *testing.T) {
	h, c := newHost(t), image.New(image.Config{})
	ref := pushLayers(t, h, []tar.Header{file("home/services/a"), file("home/services/b")})
	size := int64(2 * len(content(0)))
	for what, test := range map[string]struct {
		spec image.UnpackSpec
		ok   bool
	}{
		"enough":   {image.UnpackSpec{MaxBytes: size, MaxFiles: 2}, true},
		"too big":  {image.UnpackSpec{MaxBytes: size - 1}, false},
		"too many": {image.UnpackSpec{MaxFiles: 1}, false},
	} {
		t.Run(what, func(t *testing.T) {
			s := test.spec
			s.Ref, s.Dir = ref, filepath.Join(t.TempDir(), "app")
			err := c.Unpack(t.Context(), s)
			if ok := err == nil; ok != test.ok || !ok && delivery.KindOf(err) != delivery.Invalid {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestUnpackLeavesAloneWhatIsThere(t *testing.T) {
	h, c := newHost(t), image.New(image.Config{})
	s := image.UnpackSpec{Ref: pushLayers(t, h, []tar.Header{file("home/services/a")}), Dir: t.TempDir()}
	if err := c.Unpack(t.Context(), s); delivery.KindOf(err) != delivery.Conflict {
		t.Errorf("err = %v", err)
	}
}

// What Build makes comes back as it was, without the base being downloaded.
func TestBuildAndUnpack(t *testing.T) {
	h, c := newHost(t), image.New(image.Config{})
	pushBase(t, c, h.name+"/base:1")
	s := image.Spec{Base: h.name + "/base:1", Dir: writeTree(t, map[string]string{"start.sh": "#!/bin/sh\n", "lib/a": "a"}), Dest: h.name + "/app"}
	if err := os.Symlink("lib/a", filepath.Join(s.Dir, "current")); err != nil {
		t.Fatal(err)
	}
	r := build(t, c, s)
	h.forget()
	to := filepath.Join(t.TempDir(), "app")
	if err := c.Unpack(t.Context(), image.UnpackSpec{Ref: r.Ref, Dir: to}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(listing(t, s.Dir), listing(t, to)); diff != "" {
		t.Errorf("(-built +unpacked)\n%s", diff)
	}
	if info, err := os.Stat(filepath.Join(to, "start.sh")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("start.sh: %v, %v", info, err)
	}
	if got := h.count("GET", "/blobs/"); got != 2 {
		t.Errorf("%d blobs read, want the configuration and one layer", got)
	}
}

func TestUnpackDownloadsForeignBaseLayersOnce(t *testing.T) {
	h, c := newHost(t), image.New(image.Config{CacheDir: t.TempDir()})
	ref := pushLayers(t, h, []tar.Header{file("usr/lib/big")}, []tar.Header{file("home/services/a")})
	for _, want := range []int{3, 2} {
		h.forget()
		if err := c.Unpack(t.Context(), image.UnpackSpec{Ref: ref, Dir: filepath.Join(t.TempDir(), "app")}); err != nil {
			t.Fatal(err)
		}
		if got := h.count("GET", "/blobs/"); got != want {
			t.Errorf("%d blobs read, want %d", got, want)
		}
	}
}
