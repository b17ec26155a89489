package main

import (
	"context"
	"fmt"
	"time"

	"github.com/shiplock/shiplock/internal/image"
)

// seed puts the base image of the built-in stacks into the embedded registry, so
// that a one-machine installation needs no other. It is made here, is the same
// everywhere, and is tried until it is there.
func (in *instance) seed(ctx context.Context) {
	for {
		err := in.pushBase(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		in.log.Warn("base image not ready yet", "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

func (in *instance) pushBase(ctx context.Context) error {
	e, err := readEndpoint(in.opts.data)
	if err != nil {
		return err
	}
	_, err = in.images.BuildScratch(ctx, image.Scratch{
		Dest: e.Registry + "/shiplock/base:1",
		Files: []image.File{
			{Path: "/etc/passwd", Data: []byte("root:x:0:0:root:/root:/sbin/nologin\napp:x:1000:1000:app:/home/services:/sbin/nologin\n")},
			{Path: "/etc/group", Data: []byte("root:x:0:\napp:x:1000:\n")},
			{Path: "/etc/nsswitch.conf", Data: []byte("hosts: files dns\n")},
		},
		Env:  []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		User: "app",
	})
	if err != nil {
		return fmt.Errorf("push the base image: %w", err)
	}
	return nil
}

// sweep removes what abandoned pushes left in the registry.
func (in *instance) sweep(ctx context.Context) error {
	const every, age = time.Hour, 24 * time.Hour
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		if n, err := in.registry.Sweep(ctx, time.Now().Add(-age)); err != nil && ctx.Err() == nil {
			in.log.Warn("sweep the registry", "err", err)
		} else if n > 0 {
			in.log.Info("swept the registry", "uploads", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}
