package image

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Whatever a layer holds, nothing outside the directory changes, the bounds
// hold, and no link in an accepted directory leads out of it.
func FuzzExtract(f *testing.F) {
	seed := func(headers ...tar.Header) {
		var b bytes.Buffer
		tw := tar.NewWriter(&b)
		for _, h := range headers {
			if err := tw.WriteHeader(&h); err != nil {
				f.Fatal(err)
			}
			tw.Write(make([]byte, h.Size))
		}
		tw.Close()
		f.Add(b.Bytes(), b.Bytes())
	}
	seed(tar.Header{Typeflag: tar.TypeReg, Name: "home/services/a", Size: 3, Mode: 0o644})
	seed(tar.Header{Typeflag: tar.TypeSymlink, Name: "home/services/l", Linkname: "../../x"}, tar.Header{Typeflag: tar.TypeReg, Name: "home/services/l/x", Size: 1})
	seed(tar.Header{Typeflag: tar.TypeSymlink, Name: "home/services/l", Linkname: "."}, tar.Header{Typeflag: tar.TypeLink, Name: "home/services/h", Linkname: "home/services/l"})
	seed(tar.Header{Typeflag: tar.TypeDir, Name: "home/services/d/"}, tar.Header{Typeflag: tar.TypeReg, Name: "home/services/d/.wh..wh..opq"})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		const maxBytes, maxFiles = 4096, 20
		outer := t.TempDir()
		dir := filepath.Join(outer, "a", "b")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		x := &extractor{root: root, under: "home/services", maxBytes: maxBytes, maxFiles: maxFiles}
		for _, layer := range [][]byte{first, second} {
			if _, err = x.apply(t.Context(), bytes.NewReader(layer)); err != nil {
				break
			}
		}
		if err == nil {
			err = x.checkLinks()
		}
		if around, _ := filepath.Glob(filepath.Join(outer, "*")); len(around) != 1 {
			t.Fatalf("made %v", around)
		}
		if around, _ := filepath.Glob(filepath.Join(outer, "a", "*")); len(around) != 1 {
			t.Fatalf("made %v", around)
		}
		inspect(t, dir, maxBytes, err == nil)
	})
}

func inspect(t *testing.T, dir string, maxBytes int64, accepted bool) {
	var total int64
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch info.Mode().Type() {
		case fs.ModeDir:
		case 0:
			total += info.Size()
		case fs.ModeSymlink:
			to, err := filepath.EvalSymlinks(p)
			rel, relErr := filepath.Rel(dir, to)
			if accepted && err == nil && (relErr != nil || !filepath.IsLocal(rel)) {
				t.Errorf("%s leads to %s", p, to)
			}
		default:
			t.Errorf("%s is %s", p, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if total > maxBytes*maxLinks {
		t.Errorf("%d bytes written", total)
	}
}

// maxLinks is how often hard links can count one content in a test.
const maxLinks = 20
