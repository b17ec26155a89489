package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/deployer/local/supervisor"
	"github.com/shiplock/shiplock/internal/image"
)

// newSupervise is the daemon that the local deployer starts for itself.
func newSupervise() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "supervise", Hidden: true, Args: cobra.NoArgs,
		Short: "Run the local deployer's supervisor (the server starts it)",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return supervisor.Run(cmd.Context(), supervisor.Config{
				Dir:    dir,
				Unpack: unpackFrom(filepath.Dir(dir)),
				Log:    newLogger(os.Stderr, "info"),
			})
		},
	}
	cmd.Flags().StringVar(&dir, "data", "", "the supervisor's directory")
	return cmd
}

// unpackFrom unpacks images of the registry of the server whose data this is,
// wherever that server listens by now.
func unpackFrom(data string) func(ctx context.Context, ref, dir string) error {
	return func(ctx context.Context, ref, dir string) error {
		e, err := readEndpoint(data)
		if err != nil {
			return err
		}
		if err := os.Remove(dir); err != nil { // Unpack makes it, whole or not at all
			return fmt.Errorf("make room to unpack %s: %w", ref, err)
		}
		return e.client("").Unpack(ctx, image.UnpackSpec{Ref: e.Registry + "/" + ref, Dir: dir})
	}
}
