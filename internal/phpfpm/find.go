package phpfpm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// folders are searched beside the PATH, on which a user's shell often lacks them.
var folders = []string{"/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin"}

var phpVersion = regexp.MustCompile(`^PHP (\d+\.\d+)`)

// Find returns php-fpm of a version like "8.2". Errors are Invalid, and say what to
// install.
func Find(ctx context.Context, path, version string) (string, error) {
	other := ""
	for _, name := range []string{"php-fpm" + version, "php-fpm-" + version, "php-fpm"} {
		program, ok := lookUp(path, name)
		if !ok {
			continue
		}
		is, err := versionOf(ctx, program)
		if err != nil {
			return "", err
		}
		if is == version {
			return program, nil
		}
		other = is
	}
	what := "there is no php-fpm here"
	if other != "" {
		what = "php-fpm here is of PHP " + other
	}
	return "", delivery.E(delivery.Invalid, fmt.Sprintf("%s, and the app needs PHP %s: install Debian's package php%s-fpm, or what holds php-fpm %s elsewhere", what, version, version, version))
}

func lookUp(path, name string) (string, bool) {
	for _, dir := range append(filepath.SplitList(path), folders...) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, true
		}
	}
	return "", false
}

func versionOf(ctx context.Context, program string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "-v").CombinedOutput()
	m := phpVersion.FindSubmatch(out)
	if err != nil || m == nil {
		return "", delivery.Wrap(delivery.Invalid, fmt.Sprintf("%s does not say its version: %.200q; install it anew", program, strings.TrimSpace(string(out))), err)
	}
	return string(m[1]), nil
}
