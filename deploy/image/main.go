// Command image makes the image of the server, from a base that has git and the programs
// that `make build` made, and pushes it: by the assembler that builds use, without a
// daemon. It prints the image's reference.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/shiplock/shiplock/internal/image"
)

// into is where the chart expects the programs.
const into = "/opt/shiplock"

var programs = []string{"shiplock", "shiplock-runner", "shiplock-web"}

type options struct {
	base, bin, dest, auth, version string
	plainHTTP                      bool
}

func main() {
	var o options
	flag.StringVar(&o.base, "base", "", "image to build upon: it brings git, and certificates of authorities")
	flag.StringVar(&o.bin, "bin", "bin", "folder with the programs")
	flag.StringVar(&o.dest, "dest", "", "where to push, as host/path:tag")
	flag.StringVar(&o.auth, "auth", "", "file of logins, as docker login writes it")
	flag.StringVar(&o.version, "version", "", "version to label the image with")
	flag.BoolVar(&o.plainHTTP, "plain-http", false, "speak plain HTTP to the registry; for tests, on a private address")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) error {
	if o.base == "" || o.dest == "" {
		return errors.New("name the base image, and where to push: make image BASE=… IMAGE=…")
	}
	dir, err := os.MkdirTemp("", "shiplock-image")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, name := range programs {
		if err := copyProgram(filepath.Join(o.bin, name), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%w: run `make build` first", err)
		}
	}
	host, _, _ := strings.Cut(o.dest, "/")
	registry := image.Registry{Host: host, PlainHTTP: o.plainHTTP}
	if o.auth != "" {
		text, err := os.ReadFile(o.auth)
		if err != nil {
			return err
		}
		keys, err := image.ParseKeys(text)
		if err != nil {
			return err
		}
		registry.Login = keys.Login
	}
	made, err := image.New(image.Config{Registry: registry}).Build(ctx, image.Spec{
		Base: o.base, Dir: dir, Into: into, Dest: o.dest, User: "10001:10001",
		Env: []string{"HOME=/tmp"}, Expose: []int{8080}, Cmd: []string{into + "/shiplock", "serve", "--data", "/data"},
		Labels: map[string]string{"org.opencontainers.image.title": "shiplock", "org.opencontainers.image.version": o.version},
	})
	if err == nil {
		_, err = fmt.Fprintln(out, made.Ref)
	}
	return err
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
