package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/delivery"
	deploy "github.com/shiplock/shiplock/internal/deployer/local"
)

// newLocal looks after what a one-machine installation leaves running on purpose.
func newLocal() *cobra.Command {
	cmd := &cobra.Command{Use: "local", Short: "Look after the apps that run on this machine"}
	var data string
	down := &cobra.Command{
		Use: "down", Args: cobra.NoArgs,
		Short: "Stop the apps and proxies of this machine; the server starts them again",
		Long:  "Stop the apps and proxies that the local deployer runs. They outlive the server on purpose; this ends them. A server that serves the same data starts them again.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return stopApps(cmd.Context(), data)
		},
	}
	down.Flags().StringVar(&data, "data", "data", "the server's data directory")
	cmd.AddCommand(down)
	return cmd
}

// stopApps ends the supervisor of a data directory, if one runs, and every app.
func stopApps(ctx context.Context, data string) error {
	abs, err := filepath.Abs(data)
	if err != nil {
		return fmt.Errorf("find the data directory: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, err := deploy.NewClient(filepath.Join(abs, "deploy"))
	if err != nil {
		return err
	}
	defer c.Close()
	err = c.Shutdown(ctx)
	if delivery.KindOf(err) == delivery.Unavailable {
		return nil // none runs
	}
	return err
}
