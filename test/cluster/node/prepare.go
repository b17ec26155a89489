package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// packages are what the machine has to have, and a file of each that tells.
var packages = map[string]string{
	"containerd":                  "/usr/bin/containerd",
	"runc":                        "/usr/sbin/runc",
	"containernetworking-plugins": "/usr/lib/cni/bridge",
	"busybox-static":              "/bin/busybox",
	"nftables":                    "/usr/sbin/nft",
	"kmod":                        "/usr/sbin/modprobe",
}

// prepare installs what is missing, or says what it is.
func prepare(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("a cluster needs root, for containers and their network: run this as root, or set KUBECONFIG to a cluster that may be used for tests")
	}
	var missing []string
	for name, file := range packages {
		if _, err := os.Stat(file); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("this is no Debian: install what Debian calls %s", strings.Join(missing, ", "))
	}
	install := append([]string{"install", "-y", "-qq", "--no-install-recommends"}, missing...)
	for _, args := range [][]string{{"update", "-qq"}, install} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("install %s: apt-get %s: %w\n%s", strings.Join(missing, ", "), args[0], err, out)
		}
	}
	return nil
}
