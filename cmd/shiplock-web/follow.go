package main

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/shiplock/shiplock/internal/tail"
)

// followCommand is the first argument of a process that only writes out log files.
const followCommand = "tail"

// lookEvery is how late a line may be.
const lookEvery = 250 * time.Millisecond

// follow writes the lines of a folder's log files until it is told to end, which in a
// pod is when the app has ended.
func follow(args []string, out, errOut io.Writer) int {
	if len(args) != 2 {
		fmt.Fprintln(errOut, "error: say which files to write out: shiplock-web tail FOLDER PATTERN, such as /logs '*.log'")
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	if err := tail.Run(ctx, tail.Config{Dir: args[0], Pattern: args[1], Out: out, Log: errOut, Tick: ticker.C}); err != nil {
		fmt.Fprintln(errOut, "error: write out log files: "+err.Error())
		return 1
	}
	return 0
}
