package phpfpm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// folders are searched beside the PATH, on which a user's shell often lacks them.
var folders = []string{"/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin"}

var phpVersion = regexp.MustCompile(`^PHP (\d+\.\d+)`)

// Find returns php-fpm of a version like "8.2", or of a newer one of the same major
// version, which PHP promises to be compatible. Errors are Invalid, and say what to
// install.
func Find(ctx context.Context, path, version string) (string, error) {
	best, at, other := "", -1, ""
	for _, program := range programs(path, version) {
		is, err := versionOf(ctx, program)
		if err != nil {
			return "", err
		}
		switch n, ok := newer(is, version); {
		case ok && n == 0:
			return program, nil
		case ok && (at < 0 || n < at):
			best, at = program, n
		case !ok:
			other = is
		}
	}
	if best != "" {
		return best, nil
	}
	what := "there is no php-fpm here"
	if other != "" {
		what = "php-fpm here is of PHP " + other
	}
	return "", delivery.E(delivery.Invalid, fmt.Sprintf("%s, and the app needs PHP %s: install Debian's package php%s-fpm, or what holds php-fpm %s elsewhere", what, version, version, version))
}

// newer returns how many minor versions one is ahead of another; false when it will
// not do in its place.
func newer(is, wanted string) (int, bool) {
	major, minor, _ := strings.Cut(is, ".")
	wantedMajor, wantedMinor, _ := strings.Cut(wanted, ".")
	n, err := strconv.Atoi(minor)
	m, err2 := strconv.Atoi(wantedMinor)
	return n - m, err == nil && err2 == nil && major == wantedMajor && n >= m
}

// programs are those that may be php-fpm, the likeliest first.
func programs(path, version string) []string {
	var found []string
	for _, name := range []string{"php-fpm" + version, "php-fpm-" + version, "php-fpm"} {
		if program, ok := lookUp(path, name); ok {
			found = append(found, program)
		}
	}
	major, _, _ := strings.Cut(version, ".")
	for _, dir := range append(filepath.SplitList(path), folders...) {
		more, err := filepath.Glob(filepath.Join(dir, "php-fpm"+major+".*"))
		if err == nil { // else the PATH is no path
			found = append(found, more...)
		}
	}
	return found
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
