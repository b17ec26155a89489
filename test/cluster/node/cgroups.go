package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

const cgroupRoot = "/sys/fs/cgroup"

// cgroups lists where the pods' cgroup is: once with version 2, and once for every
// hierarchy with version 1.
func cgroups() []string {
	if _, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers")); err == nil {
		return []string{filepath.Join(cgroupRoot, layout.CgroupRoot)}
	}
	var dirs []string
	hierarchies, _ := filepath.Glob(cgroupRoot + "/*/cgroup.procs")
	for _, h := range hierarchies {
		dirs = append(dirs, filepath.Join(filepath.Dir(h), layout.CgroupRoot))
	}
	return dirs
}

// makeCgroups makes the pods' cgroup, which the kubelet expects to be there.
func makeCgroups() error {
	for _, dir := range cgroups() {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		parent := filepath.Dir(dir)
		// Version 1 gives a new cgroup no processors, version 2 no controllers.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			content, err := os.ReadFile(filepath.Join(parent, file))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err := errors.Join(err, os.WriteFile(filepath.Join(dir, file), content, 0o644)); err != nil {
				return err
			}
		}
		controllers, err := os.ReadFile(filepath.Join(parent, "cgroup.controllers"))
		if err != nil {
			continue
		}
		for _, at := range []string{parent, dir} {
			for _, c := range strings.Fields(string(controllers)) {
				// Some cannot be passed on; the kubelet says which it misses.
				_ = os.WriteFile(filepath.Join(at, "cgroup.subtree_control"), []byte("+"+c), 0o644)
			}
		}
	}
	return nil
}

// removeCgroups removes the pods' cgroup and what is below it.
func removeCgroups() error {
	var all error
	for _, root := range cgroups() {
		var dirs []string
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return err
		})
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		for i := len(dirs) - 1; i >= 0; i-- { // the inner ones come after the outer ones
			if err := os.Remove(dirs[i]); err != nil {
				all = errors.Join(all, fmt.Errorf("remove a cgroup: %w", err))
			}
		}
	}
	return all
}
