// Command shiplock is the server, the demo and the command line.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // windows name time zones, also where the machine has none

	"golang.org/x/term"

	"github.com/shiplock/shiplock/internal/cli"
)

// version is set when it is built.
var version = "dev"

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	root := cli.New(cli.Deps{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Terminal: term.IsTerminal(int(os.Stdout.Fd())),
		Getenv: os.Getenv, Version: version,
	})
	root.AddCommand(newServe(), newDemo(), newLocal(), newCluster(), newSupervise(), newTunnel())
	err := root.ExecuteContext(ctx)
	return cli.Exit(os.Stderr, cli.Language(root, os.Getenv), err)
}
