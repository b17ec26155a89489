// Command cluster is Kubernetes on one machine, for tests, in one binary: etcd,
// the components of Kubernetes, and what a node needs beside them. `cluster up`
// runs itself again as each of its parts.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"github.com/shiplock/shiplock/test/cluster/images"
	"github.com/shiplock/shiplock/test/cluster/node"
	"github.com/shiplock/shiplock/test/cluster/registry"
)

var parts = map[string]func(){
	"up":     func() { run(node.Up) },
	"down":   func() { run(node.Down) },
	"purge":  func() { run(node.Purge) },
	"status": func() { run(node.Status) },
	"push":   func() { run(push) },

	"etcd":     func() { run(runEtcd) },
	"registry": func() { run(registry.Serve) },
	"addons":   func() { run(runAddons) },

	"kube-apiserver":          func() { component(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() { component(controllers.NewControllerManagerCommand()) },
	"kube-scheduler":          func() { component(scheduler.NewSchedulerCommand()) },
	"kube-proxy":              func() { component(proxy.NewProxyCommand()) },
	// The kubelet handles signals itself, and panics when its context does, too.
	"kubelet": func() { component(kubelet.NewKubeletCommand(context.Background())) },
	"kubectl": func() { kubectlutil.CheckErr(cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand())) },
}

func main() {
	if len(os.Args) > 1 {
		if part, ok := parts[os.Args[1]]; ok {
			os.Args = os.Args[1:]
			part()
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: cluster PART [ARGUMENTS]; the parts are", slices.Sorted(maps.Keys(parts)))
	os.Exit(2)
}

func component(c *cobra.Command) { os.Exit(cli.Run(c)) }

// run runs a part of ours until it is done or told to end.
func run(part func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := part(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// push makes a one-layer image of a directory or a tar file.
func push(ctx context.Context) error {
	if len(os.Args) != 3 {
		return fmt.Errorf("usage: cluster push DIRECTORY|FILE.tar REFERENCE")
	}
	layer, err := images.LayerOf(os.Args[1])
	if err != nil {
		return err
	}
	digest, err := images.Push(ctx, os.Args[2], layer, images.Config{Cmd: []string{"/bin/sh"}})
	if err != nil {
		return err
	}
	fmt.Println(digest)
	return nil
}
