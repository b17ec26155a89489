package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/image"
)

// seed puts the base images of the built-in stacks into the registry, so that a
// one-machine installation needs no other. They are made here, are the same
// everywhere, and are tried until they are there.
func (in *instance) seed(ctx context.Context) {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		err := in.pushBases(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		in.log.Warn("base images not ready yet", "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (in *instance) pushBases(ctx context.Context) error {
	e, err := readEndpoint(in.opts.data)
	if err != nil {
		return err
	}
	web, err := os.ReadFile(in.opts.web)
	if err != nil {
		return fmt.Errorf("read what serves sites: %w", err)
	}
	// It is in the apps' folder, which is all that a local deployer unpacks. web:1 is
	// what writes out log files in clusters; serve:1 is added to other bases.
	served := image.File{Path: delivery.DefaultHome + "/.shiplock/web", Mode: 0o755, Data: web}
	for name, files := range map[string][]image.File{
		"base:1":  baseFiles(),
		"web:1":   append(baseFiles(), served),
		"serve:1": {served},
	} {
		_, err = in.images.BuildScratch(ctx, image.Scratch{
			Dest: e.Registry + "/shiplock/" + name, Files: files,
			Env:  []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
			User: "app",
		})
		if err != nil {
			return fmt.Errorf("push the base image %s: %w", name, err)
		}
	}
	return nil
}

// baseFiles are what programs look for about users and names.
func baseFiles() []image.File {
	return []image.File{
		{Path: "/etc/passwd", Data: []byte("root:x:0:0:root:/root:/sbin/nologin\napp:x:1000:1000:app:/home/services:/sbin/nologin\n")},
		{Path: "/etc/group", Data: []byte("root:x:0:\napp:x:1000:\n")},
		{Path: "/etc/nsswitch.conf", Data: []byte("hosts: files dns\n")},
	}
}
