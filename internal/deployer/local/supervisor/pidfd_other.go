//go:build !linux

package supervisor

import (
	"context"
	"errors"
	"syscall"
)

// Elsewhere the client and all else still build; Run refuses.

func sendTo(int, syscall.Signal, func(marker string) bool) {}

func awaitExit(context.Context, int) error { return errors.ErrUnsupported }
