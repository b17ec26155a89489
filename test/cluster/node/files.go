package node

import (
	"bytes"
	"embed"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/shiplock/shiplock/test/cluster/layout"
	"github.com/shiplock/shiplock/test/cluster/pki"
)

//go:embed etc
var etc embed.FS

// facts are what the files of etc have in them.
type facts struct {
	Dir, Containerd, Registry, Bridge, PodNetwork, NodeAddress, CgroupRoot, Node string
}

func nodeName() (string, error) {
	name, err := os.Hostname()
	return strings.ToLower(name), err
}

// afterBoot forgets what only a running kernel has, such as mounts and addresses.
func afterBoot() error {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return err
	}
	file := layout.Path("boot")
	if last, err := os.ReadFile(file); err == nil && bytes.Equal(last, boot) {
		return nil
	}
	return errors.Join(os.RemoveAll(layout.Path("run")), os.WriteFile(file, boot, 0o644))
}

func makeDirs() error {
	var all error
	for _, dir := range []string{"cni/bin", "cni/conf", "etc/hosts/_default", "kubelet/volume-plugins", "logs/pods", "run"} {
		all = errors.Join(all, os.MkdirAll(layout.Path(dir), 0o755))
	}
	// Pods' users come through here to their volumes.
	return errors.Join(all, os.MkdirAll(layout.Volumes, 0o755))
}

// makeFiles writes the certificates and the configuration of every part.
func makeFiles(node string) error {
	f := facts{
		layout.Dir, layout.Containerd, layout.Registry, layout.Bridge, layout.PodNetwork,
		layout.NodeAddress, layout.CgroupRoot, node,
	}
	var all error
	for name, to := range map[string]string{
		"containerd.toml":  "etc/containerd.toml",
		"hosts.toml":       "etc/hosts/_default/hosts.toml",
		"kubelet.yaml":     "etc/kubelet.yaml",
		"proxy.yaml":       "etc/proxy.yaml",
		"network.conflist": "cni/conf/10-shiplock.conflist",
	} {
		all = errors.Join(all, render(f, name, layout.Path(to)))
	}
	return errors.Join(all, linkPlugins(), pki.Make(pki.Spec{
		Dir:       layout.Path("pki"),
		Server:    "https://" + layout.API,
		Node:      node,
		Addresses: []net.IP{net.ParseIP("127.0.0.1"), net.ParseIP(layout.NodeAddress), net.ParseIP(layout.KubeService)},
	}))
}

// render writes a file as a whole and only when it changes: containerd watches some.
func render(f facts, name, to string) error {
	t, err := template.ParseFS(etc, "etc/"+name)
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	if err := t.Execute(&buf, f); err != nil {
		return err
	}
	if old, err := os.ReadFile(to); err == nil && bytes.Equal(old, buf.Bytes()) {
		return nil
	}
	fresh := layout.Path("run", name)
	if err := os.WriteFile(fresh, buf.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(fresh, to)
}

// linkPlugins puts Debian's network plugins and ours in one folder, as containerd
// wants it.
func linkPlugins() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var all error
	for name, target := range map[string]string{
		"bridge":          "/usr/lib/cni/bridge",
		"host-local":      "/usr/lib/cni/host-local",
		"loopback":        "/usr/lib/cni/loopback",
		"shiplock-policy": filepath.Join(filepath.Dir(self), "cni"),
	} {
		link := layout.Path("cni", "bin", name)
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		all = errors.Join(all, os.Symlink(target, link))
	}
	return all
}
