package supervisor

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Config is all that a supervisor needs. Dir, Unpack and Log are required.
type Config struct {
	Dir string // kept over restarts; one supervisor at a time
	// Unpack writes the files of an image into dir, an empty directory; start.sh
	// is then in it.
	Unpack func(ctx context.Context, imageRef, dir string) error
	Log    *slog.Logger
	Now    func() time.Time // default time.Now

	Drain time.Duration // for requests in flight at a retired instance; default 10 s
	Grace time.Duration // between SIGTERM and SIGKILL; default 5 s
	// HealthEvery is the pause between the checks of a healthy app; default 1 s.
	HealthEvery time.Duration
}

func (c Config) withDefaults() (Config, error) {
	if runtime.GOOS != "linux" {
		return c, delivery.E(delivery.Unavailable, "local apps need Linux (/proc and pidfds): deploy to a cluster instead")
	}
	if c.Dir == "" || c.Unpack == nil || c.Log == nil {
		return c, delivery.E(delivery.Invalid, "a supervisor needs a directory, a way to unpack images, and a log")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Drain == 0 {
		c.Drain = 10 * time.Second
	}
	if c.Grace == 0 {
		c.Grace = 5 * time.Second
	}
	if c.HealthEvery == 0 {
		c.HealthEvery = time.Second
	}
	return c, nil
}

// dirName turns a key into a file name; DNS labels hold no underscore.
func dirName(key string) string { return strings.Replace(key, "/", "_", 1) }
