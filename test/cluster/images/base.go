package images

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// busybox is Debian's static one.
const busybox = "/bin/busybox"

// PushBase pushes busybox:1, and pause:1, which holds a pod's namespaces and does
// nothing.
func PushBase(ctx context.Context, registry string) error {
	content, err := busyboxRoot(ctx)
	if err != nil {
		return err
	}
	layer, err := layerFromBytes(content)
	if err != nil {
		return err
	}
	_, err = Push(ctx, registry+"/busybox:1", layer, Config{Cmd: []string{"sh"}})
	_, pause := Push(ctx, registry+"/pause:1", layer, Config{Entrypoint: []string{"/bin/sleep", "infinity"}})
	return errors.Join(err, pause)
}

func busyboxRoot(ctx context.Context) ([]byte, error) {
	binary, err := os.ReadFile(busybox)
	if err != nil {
		return nil, err
	}
	applets, err := exec.CommandContext(ctx, busybox, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --list: %w", busybox, err)
	}
	var buf bytes.Buffer
	out := tar.NewWriter(&buf)
	dir := func(name string, mode int64) error {
		return out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode})
	}
	file := func(name string, mode int64, content []byte) error {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))}
		if err := out.WriteHeader(h); err != nil {
			return err
		}
		_, err := out.Write(content)
		return err
	}
	link := func(name, to string) error {
		return out.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to, Mode: 0o777})
	}
	err = errors.Join(
		dir("bin/", 0o755), dir("etc/", 0o755), dir("root/", 0o700), dir("tmp/", 0o1777), dir("usr/", 0o755),
		link("sbin", "bin"), link("usr/bin", "../bin"), link("usr/sbin", "../bin"),
		file("bin/busybox", 0o755, binary),
		file("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\n")),
		file("etc/group", 0o644, []byte("root:x:0:\n")),
	)
	for _, applet := range strings.Fields(string(applets)) {
		if applet != "busybox" {
			err = errors.Join(err, link("bin/"+applet, "busybox"))
		}
	}
	return buf.Bytes(), errors.Join(err, out.Close())
}
