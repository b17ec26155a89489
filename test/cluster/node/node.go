// Package node starts and stops the cluster on this machine.
package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/shiplock/shiplock/test/cluster/images"
	"github.com/shiplock/shiplock/test/cluster/layout"
)

// Up starts what does not run, and prints the path of the kubeconfig.
func Up(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if err := prepare(ctx); err != nil {
		return err
	}
	unlock, err := lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := start(ctx); err != nil {
		return fmt.Errorf("%w\nThe logs are in %s; `make cluster-down` stops what has started", err, layout.Path("logs"))
	}
	fmt.Println(layout.AdminConfig)
	return nil
}

func start(ctx context.Context) error {
	name, err := nodeName()
	if err != nil {
		return err
	}
	if err := errors.Join(afterBoot(), makeDirs(), makeNetwork(), makeCgroups()); err != nil {
		return err
	}
	if err := makeFiles(name); err != nil {
		return err
	}
	ps, err := processes(name)
	if err != nil {
		return err
	}
	warnOfOther(ps.binary)
	if err := startAll(ps.base...); err != nil {
		return err
	}
	if err := await(ctx, ps.registry, registryAnswers); err != nil {
		return err
	}
	if err := images.PushBase(ctx, layout.Registry); err != nil {
		return err
	}
	client, err := connect()
	if err != nil {
		return err
	}
	if err := await(ctx, ps.apiserver, client.ready); err != nil {
		return err
	}
	if err := client.makeObjects(ctx); err != nil {
		return err
	}
	if err := await(ctx, ps.containerd, containerdListens); err != nil {
		return err
	}
	if err := startAll(ps.clients...); err != nil {
		return err
	}
	return errors.Join(
		await(ctx, ps.addons, policiesAreEnforced),
		await(ctx, ps.kubelet, func(ctx context.Context) error { return client.nodeReady(ctx, name) }),
		await(ctx, ps.controllers, client.accountsMade),
	)
}

// Down stops the cluster and leaves its state for the next time.
func Down(ctx context.Context) error {
	unlock, err := lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return stopAll(ctx)
}

// Purge stops the cluster and deletes all of it.
func Purge(ctx context.Context) error {
	unlock, err := lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := stopAll(ctx); err != nil {
		return err
	}
	return os.RemoveAll(layout.Dir)
}

// Status prints which parts run.
func Status(context.Context) error {
	name, err := nodeName()
	if err != nil {
		return err
	}
	ps, err := processes(name)
	if err != nil {
		return err
	}
	down := 0
	for _, p := range ps.all() {
		pid, running := p.running()
		if !running {
			down++
			fmt.Printf("%-24s down\n", p.name)
			continue
		}
		fmt.Printf("%-24s pid %d\n", p.name, pid)
	}
	if down > 0 {
		return fmt.Errorf("%d parts are down: `make cluster-up` starts them", down)
	}
	return nil
}
