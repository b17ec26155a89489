//go:build !linux

package joblog

import "os"

// syncData makes f's content and length durable.
func syncData(f *os.File) error { return f.Sync() }
