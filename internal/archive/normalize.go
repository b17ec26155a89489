package archive

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Every entry's time, in MS-DOS form: 1980-02-01 00:00. The month is Gradle's choice:
// in January a zone west of Greenwich would lead out of the format's range.
const dosDate, dosTime = 1<<5 | 1, 0

// An archive within an archive is held in memory: maxNested bounds it, and maxDepth
// how many are within each other, as a jar in a war in an ear.
const (
	maxNested = 256 << 20
	maxDepth  = 3
)

// NormalizeTree normalizes the archives below dir, and returns how many it changed.
// Symbolic links are not followed. The error names those that stay as they were.
func NormalizeTree(dir string) (changed int, errs error) {
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !isArchive(name) {
			return err
		}
		done, err := normalizeFile(name)
		if done {
			changed++
		}
		errs = errors.Join(errs, err)
		return nil
	})
	return changed, errors.Join(errs, err)
}

func isArchive(name string) bool {
	switch path.Ext(name) {
	case ".jar", ".war", ".ear":
		return true
	}
	return false
}

// normalizeFile replaces the file at once, so that a failure leaves it as it was.
func normalizeFile(name string) (changed bool, err error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	z, ok := open(f, info.Size())
	if !ok {
		return false, nil
	}
	out, err := os.CreateTemp(filepath.Dir(name), ".archive-")
	if err != nil {
		return false, err
	}
	err = errors.Join(write(out, z, maxDepth), out.Chmod(info.Mode().Perm()), out.Close())
	if err == nil {
		err = os.Rename(out.Name(), name)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", filepath.Base(name), errors.Join(err, os.Remove(out.Name())))
	}
	return true, nil
}

// open reads an archive's table; false: it is no ZIP file, nothing in it would change,
// or it begins with something else, such as a script that starts it.
func open(r io.ReaderAt, size int64) (*zip.Reader, bool) {
	magic := make([]byte, 4)
	if _, err := r.ReadAt(magic, 0); err != nil || string(magic) != "PK\x03\x04" {
		return nil, false
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, false
	}
	for _, f := range z.File {
		if f.ModifiedDate != dosDate || f.ModifiedTime != dosTime || hasTimes(f.Extra) {
			return z, true
		}
	}
	return nil, false
}

// write copies the entries in their order, compressed as they are. Archives within are
// normalized down to a depth.
func write(w io.Writer, z *zip.Reader, depth int) error {
	out := zip.NewWriter(w)
	if err := out.SetComment(z.Comment); err != nil {
		return err
	}
	signed := isSigned(z)
	for _, f := range z.File {
		if err := copyEntry(out, f, signed, depth); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return out.Close()
}

// isSigned: the content of what is signed must not change; its times may.
func isSigned(z *zip.Reader) bool {
	for _, f := range z.File {
		if path.Dir(f.Name) == "META-INF" && strings.EqualFold(path.Ext(f.Name), ".sf") {
			return true
		}
	}
	return false
}

func copyEntry(out *zip.Writer, f *zip.File, signed bool, depth int) error {
	h := f.FileHeader
	h.ModifiedDate, h.ModifiedTime = dosDate, dosTime
	h.Extra = withoutTimes(h.Extra)
	h.Flags &^= 0x8                     // sizes are known before the data
	if strings.HasSuffix(h.Name, "/") { // some tools compress the nothing in a folder
		h.Method, h.CRC32, h.UncompressedSize64, h.CompressedSize64 = zip.Store, 0, 0, 0
		_, err := out.CreateRaw(&h)
		return err
	}
	content, changed, err := normalized(f, signed, depth)
	if err != nil {
		return err
	}
	if !changed {
		raw, err := f.OpenRaw()
		if err != nil {
			return err
		}
		w, err := out.CreateRaw(&h)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, raw)
		return err
	}
	// Stored, as Spring Boot wants an archive in an archive.
	h.Method, h.CRC32 = zip.Store, crc32.ChecksumIEEE(content)
	h.UncompressedSize64, h.CompressedSize64 = uint64(len(content)), uint64(len(content))
	w, err := out.CreateRaw(&h)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// normalized returns the new content of an entry that says itself when it was built.
func normalized(f *zip.File, signed bool, depth int) ([]byte, bool, error) {
	properties := strings.HasPrefix(f.Name, "META-INF/maven/") && path.Base(f.Name) == "pom.properties"
	nested := isArchive(f.Name) && depth > 1
	if signed || !properties && !nested || f.UncompressedSize64 > maxNested {
		return nil, false, nil
	}
	content, err := read(f)
	if err != nil {
		return nil, false, err
	}
	if properties {
		return withoutComments(content), true, nil
	}
	z, ok := open(bytes.NewReader(content), int64(len(content)))
	if !ok {
		return nil, false, nil
	}
	var b bytes.Buffer
	err = write(&b, z, depth-1)
	return b.Bytes(), true, err
}

func read(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was only read
	return io.ReadAll(io.LimitReader(r, maxNested+1))
}

// withoutComments drops the lines in which Maven notes the time.
func withoutComments(text []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("#")) {
			b.Write(line)
		}
	}
	return b.Bytes()
}
