package runner

import (
	"errors"
	"io/fs"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
)

// missing says which of a step's declared paths, relative to the App's folder, is not
// there, or is led out of the folder by a symbolic link. use is "input" or "output".
func missing(step, dir, use string, paths []string) *delivery.Cause {
	for _, path := range paths {
		reason := "a symbolic link leads out of the App's folder"
		switch _, err := inside(dir, path); {
		case err == nil:
			continue
		case errors.Is(err, fs.ErrNotExist):
			reason = "it is not there"
		}
		c := delivery.Because(diagnose.FileMissing, delivery.Args{"step": step, "path": path, "use": use, "reason": reason})
		c.Step = step
		return &c
	}
	return nil
}
