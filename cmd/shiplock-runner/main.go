// Command shiplock-runner runs the steps of one job. An executor starts it and
// tells it, by environment variables, which attempt to claim from which server.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/shiplock/shiplock/internal/runner"
)

func main() { os.Exit(run()) }

func run() int {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := runner.Hold(os.Getenv); err != nil {
		logger.Error("runner cannot start", "err", err)
		return runner.ExitError
	}
	c, err := runner.FromEnv(os.Getenv)
	if err != nil {
		logger.Error("runner cannot start", "err", err)
		return runner.ExitError
	}
	c.Environ, c.Version, c.Logger, c.Now = os.Environ(), version(), logger, time.Now
	c.Checkout, c.Image = checkout, makeImage

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err = runner.Run(ctx, c)
	if err != nil {
		logger.Error("runner ended early", "attempt", c.Attempt, "err", err)
	}
	return runner.ExitCode(err)
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
