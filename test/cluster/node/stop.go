package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

// stopAll stops the parts that make pods, then the pods, then the rest.
func stopAll(ctx context.Context) error {
	name, err := nodeName()
	if err != nil {
		return err
	}
	ps, err := processes(name)
	if err != nil {
		return err
	}
	if err := stopEach(ps.kubelet, ps.controllers); err != nil {
		return err
	}
	// The addons are still there for the pods' network plugin.
	pods := removePods(ctx)
	all := ps.all()
	slices.Reverse(all)
	if err := stopEach(all...); err != nil {
		return err
	}
	if pods != nil {
		fmt.Fprintln(os.Stderr, "cluster: pods could not be removed in order, and are killed:", pods)
	}
	return errors.Join(killPods(), removeMounts(), removeCgroups(), removeNetwork(), os.RemoveAll(layout.Path("run")))
}

func stopEach(all ...process) error {
	for _, p := range all {
		if err := p.stop(10 * time.Second); err != nil {
			return err
		}
	}
	return nil
}

// removePods has containerd remove every pod, with its shim, mounts and network.
func removePods(ctx context.Context) error {
	if _, err := os.Stat(layout.Containerd); err != nil {
		return nil // it never ran
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	connection, err := grpc.NewClient("unix://"+layout.Containerd, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	runtime := cri.NewRuntimeServiceClient(connection)
	pods, err := runtime.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(8)
	for _, pod := range pods.Items {
		g.Go(func() error { return removePod(ctx, runtime, pod.Id) })
	}
	return g.Wait()
}

// removePod tries again for a while: a pod that is just being started cannot be removed.
func removePod(ctx context.Context, runtime cri.RuntimeServiceClient, id string) error {
	for {
		_, err := runtime.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: id})
		if err == nil {
			_, err = runtime.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: id})
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// killPods kills what is left: the processes in the pods' cgroups, and the shims of
// our containerd, which outlive it by design.
func killPods() error {
	pids := shims()
	for _, dir := range cgroups() {
		_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.Name() == "cgroup.procs" {
				content, _ := os.ReadFile(path)
				pids = append(pids, strings.Fields(string(content))...)
			}
			return nil
		})
	}
	var all error
	for _, text := range pids {
		pid, err := strconv.Atoi(text)
		if err != nil {
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue // it has ended
		}
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		if !ended(fd, 10*time.Second) {
			all = errors.Join(all, fmt.Errorf("process %d of a pod does not end", pid))
		}
		unix.Close(fd)
	}
	return all
}

func shims() []string {
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, _ := os.ReadFile(file)
		args := strings.Split(string(line), "\x00")
		if filepath.Base(args[0]) == "containerd-shim-runc-v2" && slices.Contains(args, layout.Containerd) {
			found = append(found, filepath.Base(filepath.Dir(file)))
		}
	}
	return found
}

// removeMounts unmounts what is below our directory.
func removeMounts() error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var ours []string
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); strings.HasPrefix(fields[4], layout.Dir+"/") {
			ours = append(ours, fields[4])
		}
	}
	slices.Sort(ours)
	var all error
	for _, path := range slices.Backward(ours) {
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
			all = errors.Join(all, fmt.Errorf("unmount %s: %w", path, err))
		}
	}
	return all
}
