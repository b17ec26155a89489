package local

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Protocol is the version of the API between client and supervisor.
const Protocol = 1

// Limits of one wish, so that a slip of the pen cannot exhaust the machine.
const (
	MaxVersions = 16
	MaxReplicas = 32
	MaxWeight   = 100
)

// Wish is everything that should be true of one Target: an app in an
// environment. Applying it again changes nothing.
type Wish struct {
	Key        string `json:"key"`        // "app/env"
	Generation int64  `json:"generation"` // the fence: a lower one is refused
	// Listen is the proxy's loopback port; 0 lets the supervisor choose one, once.
	Listen   int       `json:"listen,omitempty"`
	Versions []Version `json:"versions"`
	// RestartedAt in UTC ms: another value replaces every instance, new before old.
	RestartedAt int64 `json:"restartedAt,omitempty"`
	// Prepare has to succeed before its version has an instance; nil is nothing.
	Prepare *Preparation `json:"prepare,omitempty"`
}

// Version is one revision of the app and the share of requests it should get.
type Version struct {
	ID     string `json:"id"`
	Weight int    `json:"weight"` // 0..100, relative to the other versions' weights
	Image  string `json:"image"`
	Config Config `json:"config"`
}

// Config is how one version runs.
type Config struct {
	Env map[string]string `json:"env,omitempty"`
	// PortEnv is the variable that tells the app its port; default PORT.
	PortEnv string `json:"portEnv,omitempty"`
	// HealthPath is asked by HTTP GET, where 2xx and 3xx are healthy; "tcp" only
	// connects. Default "/".
	HealthPath string `json:"healthPath,omitempty"`
	// HealthTimeoutMS is how long an instance may take to become healthy; default 30 s.
	HealthTimeoutMS int64 `json:"healthTimeoutMs,omitempty"`
	// StartArg is the argument of start.sh; default the environment of the key.
	StartArg string `json:"startArg,omitempty"`
	Replicas int    `json:"replicas,omitempty"` // default 1
}

var (
	keyPattern     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	versionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$`)
	envPattern     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)
)

// SplitKey returns the app and the environment of a Target's key.
func SplitKey(key string) (app, env string) {
	app, env, _ = strings.Cut(key, "/")
	return app, env
}

// ValidKey reports whether key is "app/env" of two DNS-1123 labels.
func ValidKey(key string) bool { return keyPattern.MatchString(key) }

// WithDefaults returns a copy in which every optional field has its value.
func (w Wish) WithDefaults() Wish {
	_, env := SplitKey(w.Key)
	versions := make([]Version, len(w.Versions))
	for i, v := range w.Versions {
		v.Config = v.Config.withDefaults(env)
		versions[i] = v
	}
	w.Versions = versions
	return w
}

func (c Config) withDefaults(env string) Config {
	if c.PortEnv == "" {
		c.PortEnv = "PORT"
	}
	if c.HealthPath == "" {
		c.HealthPath = "/"
	}
	if c.HealthTimeoutMS == 0 {
		c.HealthTimeoutMS = 30_000
	}
	if c.StartArg == "" {
		c.StartArg = env
	}
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	return c
}

// Validate returns an Invalid error that names the first bad field.
func (w Wish) Validate() error {
	switch {
	case !ValidKey(w.Key):
		return invalid("key %q: write app/env, each of lower-case letters, digits and dashes", w.Key)
	case w.Generation < 1:
		return invalid("generation %d: must be 1 or more", w.Generation)
	case w.Listen < 0 || w.Listen > 65535:
		return invalid("listen %d: must be a port, or 0 for a free one", w.Listen)
	case len(w.Versions) > MaxVersions:
		return invalid("%d versions: at most %d can run side by side", len(w.Versions), MaxVersions)
	}
	seen := map[string]bool{}
	for _, v := range w.Versions {
		if seen[v.ID] {
			return invalid("version %q: named twice", v.ID)
		}
		seen[v.ID] = true
		if err := v.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (v Version) validate() error {
	c := v.Config
	switch {
	case !versionPattern.MatchString(v.ID):
		return invalid("version id %q: use letters, digits and ._:@-", v.ID)
	case v.Weight < 0 || v.Weight > MaxWeight:
		return invalid("version %s: weight %d is not within 0..%d", v.ID, v.Weight, MaxWeight)
	case v.Image == "":
		return invalid("version %s: image is missing", v.ID)
	case c.Replicas < 0 || c.Replicas > MaxReplicas:
		return invalid("version %s: replicas %d is not within 1..%d", v.ID, c.Replicas, MaxReplicas)
	case c.HealthTimeoutMS < 0:
		return invalid("version %s: healthTimeoutMs is negative", v.ID)
	case c.HealthPath != "" && c.HealthPath != "tcp" && !strings.HasPrefix(c.HealthPath, "/"):
		return invalid("version %s: healthPath %q must begin with / or be tcp", v.ID, c.HealthPath)
	case c.PortEnv != "" && !envPattern.MatchString(c.PortEnv):
		return invalid("version %s: portEnv %q is not a variable name", v.ID, c.PortEnv)
	}
	for name, value := range c.Env {
		if !envPattern.MatchString(name) || strings.ContainsRune(value, 0) {
			return invalid("version %s: environment variable %q cannot be set", v.ID, name)
		}
	}
	return nil
}

// Same reports whether both wishes ask for the same, defaults counted in.
func (w Wish) Same(o Wish) bool {
	// JSON sorts map keys and has one form per value, which == has not.
	a, errA := json.Marshal(w.WithDefaults())
	b, errB := json.Marshal(o.WithDefaults())
	return errA == nil && errB == nil && string(a) == string(b)
}

func invalid(format string, args ...any) error {
	return delivery.E(delivery.Invalid, fmt.Sprintf(format, args...))
}
