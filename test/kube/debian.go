//go:build e2e

package kube

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// debian pushes a small Debian, of this machine's release and sources, with git, what
// Node.js needs and more packages, and returns its reference.
func debian(ctx context.Context, registry string, packages []string) (string, error) {
	gathering.Lock()
	defer gathering.Unlock()
	release, err := codename()
	if err != nil {
		return "", err
	}
	packages = append([]string{"ca-certificates", "git", "libatomic1"}, packages...)
	slices.Sort(packages)
	list := strings.Join(packages, ",")
	id := fmt.Sprintf("%s-%.12x", release, sha256.Sum256([]byte(list)))
	ref, err := name.NewTag(registry+"/debian:"+id, name.Insecure)
	if err != nil {
		return "", err
	}
	if _, err := remote.Head(ref, remote.WithContext(ctx)); err == nil {
		return ref.String(), nil
	}
	tar := cached("debian-" + id + ".tar")
	if _, err := os.Stat(tar); err != nil {
		if err := bootstrap(ctx, release, list, tar); err != nil {
			return "", err
		}
	}
	return ref.String(), pushRoot(ctx, ref, tar)
}

// codename is the release of the Debian that this is.
func codename() (string, error) {
	f, err := os.Open("/etc/os-release")
	if err != nil {
		return "", err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "VERSION_CODENAME="); ok {
			return strings.Trim(value, `"`), nil
		}
	}
	return "", errors.New("/etc/os-release names no release of Debian")
}

func bootstrap(ctx context.Context, release, packages, tar string) error {
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		install := exec.CommandContext(ctx, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "mmdebstrap")
		install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := install.CombinedOutput(); err != nil {
			return fmt.Errorf("install mmdebstrap: %w\n%s", err, out)
		}
	}
	if err := os.MkdirAll(filepath.Dir(tar), 0o755); err != nil {
		return err
	}
	// The sources that this machine's apt has for Debian itself.
	sources := "/etc/apt/sources.list.d/debian.sources"
	if _, err := os.Stat(sources); err != nil {
		sources = "/etc/apt/sources.list"
	}
	fresh := tar + ".new.tar" // mmdebstrap goes by the name's end
	out, err := exec.CommandContext(ctx, "mmdebstrap", "--quiet", "--variant=minbase", "--include="+packages, release, fresh, sources).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mmdebstrap: %w\n%s", err, out)
	}
	return os.Rename(fresh, tar)
}

func pushRoot(ctx context.Context, ref name.Tag, tar string) error {
	layer, err := tarball.LayerFromFile(tar)
	if err != nil {
		return err
	}
	root, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return err
	}
	file, err := root.ConfigFile()
	if err != nil {
		return err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config = v1.Config{Cmd: []string{"bash"}, Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}}
	if root, err = mutate.ConfigFile(root, file); err != nil {
		return err
	}
	return remote.Write(ref, root, remote.WithContext(ctx))
}
