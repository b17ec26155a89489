package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// Variables by which an executor tells a runner what to do. None of them reaches
// a step but EnvWorkspace, by which an executor finds what a killed runner has
// left behind.
const (
	EnvServer    = "SHIPLOCK_SERVER"    // base URL
	EnvAttempt   = "SHIPLOCK_ATTEMPT"   // the attempt's key
	EnvCode      = "SHIPLOCK_CODE"      // the claim code, or:
	EnvCodeFD    = "SHIPLOCK_CODE_FD"   // an inherited pipe with it
	EnvWorkspace = "SHIPLOCK_WORKSPACE" // a directory of its own
	EnvImage     = "SHIPLOCK_IMAGE"     // not empty: the environment is the build image's
	EnvCache     = "SHIPLOCK_CACHE"     // where caches outlive jobs; may be empty
	// EnvCacheRead are further folders with caches, to read only, between colons, and
	// EnvCacheLimit is how many bytes the one of EnvCache may have, when its job is to
	// keep to that.
	EnvCacheRead  = "SHIPLOCK_CACHE_READ"
	EnvCacheLimit = "SHIPLOCK_CACHE_LIMIT"
	EnvMounts     = "SHIPLOCK_MOUNTS"  // not empty: the runner has mounts of its own
	EnvLockFD     = "SHIPLOCK_LOCK_FD" // an inherited, locked file; see Hold
)

// Config is what a runner needs.
type Config struct {
	Server, Attempt, Code, Workspace string
	// Cache is a directory that outlives the job; "" is none.
	Cache string
	// CacheRead are further such directories, to read only. CacheLimit bounds the bytes
	// in Cache, which the job sweeps itself; 0 leaves that to others.
	CacheRead  []string
	CacheLimit int64
	// Mounts tells that this process has mounts of its own, and may mount.
	Mounts bool
	// Environ is what steps may inherit from, as of os.Environ. InImage says that it is
	// the build image's.
	Environ []string
	InImage bool
	// Version is the runner's build, for people.
	Version string

	// Checkout makes dir a work tree of the commit.
	Checkout func(ctx context.Context, dir string, c api.Clone) error
	// Image makes and pushes the image.
	Image func(ctx context.Context, r ImageRequest) (delivery.Artifact, error)

	Logger *slog.Logger
	Now    func() time.Time

	// The rest has defaults.

	// SpoolLimit bounds the unacknowledged log on disk, in bytes: 256 MiB.
	SpoolLimit int64
	// Grace is the time between asking a step to end and killing it: 10 s.
	Grace time.Duration
	// ClaimPatience bounds the wait for a server that is away at the start,
	// FinishPatience at the end, ImagePatience for a registry: 10 min. LogPatience bounds the wait for the last
	// log lines to be acknowledged: 2 min.
	ClaimPatience, FinishPatience, ImagePatience, LogPatience time.Duration
}

// ImageRequest asks for a Plan's image.
type ImageRequest struct {
	Plan delivery.ImagePlan
	Push api.Push
	// Login asks for what opens the registry now. Denied is final, Unavailable is not.
	Login func(ctx context.Context) (api.PushLogin, error)
	// Dir is the folder to add, checked to be inside the workspace.
	Dir string
	// TempDir is on the workspace's disk.
	TempDir string
	// Facts is where the trust domain remembers what images were found to be; "" is
	// nowhere.
	Facts string
	// Say adds a line to the job's log.
	Say func(text string)
}

// FromEnv reads the part of a Config that an executor passes, once: it uses the
// code's pipe up.
func FromEnv(getenv func(string) string) (Config, error) {
	c := Config{
		Server: getenv(EnvServer), Attempt: getenv(EnvAttempt), Code: getenv(EnvCode),
		Workspace: getenv(EnvWorkspace), Cache: getenv(EnvCache),
		CacheRead: filepath.SplitList(getenv(EnvCacheRead)),
		Mounts:    getenv(EnvMounts) != "", InImage: getenv(EnvImage) != "",
	}
	if limit := getenv(EnvCacheLimit); limit != "" {
		n, err := strconv.ParseInt(limit, 10, 64)
		if err != nil || n <= 0 {
			return Config{}, fmt.Errorf("%s is no number of bytes: %q", EnvCacheLimit, limit)
		}
		c.CacheLimit = n
	}
	if value := getenv(EnvCodeFD); value != "" {
		fd, err := passed(EnvCodeFD, value)
		if err != nil {
			return Config{}, err
		}
		pipe := os.NewFile(uintptr(fd), "claim code")
		code, err := io.ReadAll(io.LimitReader(pipe, 4<<10))
		if err = errors.Join(err, pipe.Close()); err != nil {
			return Config{}, fmt.Errorf("read the claim code: %w", err)
		}
		c.Code = string(code)
	}
	return c, c.check()
}

func (c Config) check() error {
	u, err := url.Parse(c.Server)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return delivery.E(delivery.Invalid, EnvServer+" must be the server's http(s) URL")
	case c.Attempt == "" || c.Code == "":
		return delivery.E(delivery.Invalid, EnvAttempt+" and one of "+EnvCode+" and "+EnvCodeFD+" must be set")
	case !filepath.IsAbs(c.Workspace):
		return delivery.E(delivery.Invalid, EnvWorkspace+" must be an absolute path")
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.SpoolLimit = cmp.Or(c.SpoolLimit, 256<<20)
	c.Grace = cmp.Or(c.Grace, 10*time.Second)
	c.ClaimPatience = cmp.Or(c.ClaimPatience, 10*time.Minute)
	c.FinishPatience = cmp.Or(c.FinishPatience, 10*time.Minute)
	c.ImagePatience = cmp.Or(c.ImagePatience, 10*time.Minute)
	c.LogPatience = cmp.Or(c.LogPatience, 2*time.Minute)
	return c
}
