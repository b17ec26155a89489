package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// inherited are the variables of this process that git may see: how to find
// programs, proxies and trust anchors, and nothing that changes what git does.
var inherited = [...]string{
	"PATH", "TMPDIR", "SSH_AUTH_SOCK", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
}

// Env is an environment in which git reads no configuration but the
// repository's own, with the given settings on top of it.
func Env(settings map[string]string) []string {
	config := map[string]string{
		"core.attributesFile": "/dev/null",
		"core.excludesFile":   "/dev/null",
		"core.fsmonitor":      "false",
		"core.hooksPath":      "/dev/null",
		"credential.helper":   "",
		"gc.auto":             "0",
		"maintenance.auto":    "false",
		"protocol.ext.allow":  "never",
		"safe.directory":      "*",
		"submodule.recurse":   "false",
	}
	maps.Copy(config, settings)

	env := []string{
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=", "GIT_LFS_SKIP_SMUDGE=1", "LC_ALL=C",
		"GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=20",
	}
	for _, name := range inherited {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	keys := slices.Sorted(maps.Keys(config))
	for i, key := range keys {
		n := strconv.Itoa(i)
		env = append(env, "GIT_CONFIG_KEY_"+n+"="+key, "GIT_CONFIG_VALUE_"+n+"="+config[key])
	}
	return append(env, "GIT_CONFIG_COUNT="+strconv.Itoa(len(keys)))
}

const (
	maxStderr = 16 << 10
	// killWait bounds the wait for pipes that a killed child may have left open.
	killWait = 2 * time.Second
)

// process is the setting that all git processes of one operation share.
type process struct {
	endpoint
	env []string
}

func newProcess(e endpoint, settings map[string]string) process {
	config := maps.Clone(settings)
	if config == nil {
		config = map[string]string{}
	}
	maps.Copy(config, e.config)
	env := append(Env(config), "GIT_ALLOW_PROTOCOL="+e.protocols)
	if e.network != nil {
		env = slices.DeleteFunc(env, func(v string) bool { return strings.Contains(strings.ToLower(v), "_proxy=") })
		env = append(env, TunnelVariable+"="+e.network.Proxy(),
			"GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=20 -oProxyJump=none -oProxyCommand="+quoted(e.network.SSHProxy()))
	}
	if home, ok := os.LookupEnv("HOME"); ok && e.protocols == "ssh" {
		// For known_hosts and keys. Over http it would only add ~/.netrc.
		env = append(env, "HOME="+home)
	}
	return process{endpoint: e, env: env}
}

// TunnelVariable tells a Network's SSHProxy where its Proxy is.
const TunnelVariable = "SHIPLOCK_TUNNEL"

// quoted is one word of a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// run runs git in dir and returns what it wrote, at most maxStdout bytes.
func (p process) run(ctx context.Context, dir string, maxStdout int, args ...string) ([]byte, error) {
	if p.url != "" && slices.Contains(args, p.url) {
		if err := p.reach(ctx); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stdout := &capped{max: maxStdout, full: func() { cancel(errTooMuch) }}
	stderr := &capped{max: maxStderr}

	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = dir, p.env
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killWait

	err := cmd.Run()
	switch {
	case err == nil && !stdout.cut:
		return stdout.buf.Bytes(), nil
	case stdout.cut:
		return nil, errTooMuch
	case ctx.Err() != nil:
		return nil, stopped(args[0], context.Cause(ctx))
	case errors.Is(err, exec.ErrNotFound):
		return nil, delivery.Wrap(delivery.Unavailable, "git is not installed here; install git 2.31 or newer", err)
	}
	return nil, classify(args[0], p.scrub(stderr.buf.String()), err)
}

var errTooMuch = delivery.E(delivery.Invalid, "the repository has more refs than can be listed; ask for one branch")

// stopped explains a process that we ended ourselves.
func stopped(what string, cause error) error {
	if errors.Is(cause, context.DeadlineExceeded) {
		return delivery.Wrap(delivery.Unavailable, "the repository's server was too slow; try again, or raise the checkout's time limit",
			fmt.Errorf("git %s: %w", what, cause))
	}
	return fmt.Errorf("git %s: %w", what, cause)
}

// capped keeps the first max bytes and swallows the rest, telling full if it is
// set. The buffer is not embedded: its ReadFrom would pass by the cap.
type capped struct {
	buf  bytes.Buffer
	max  int
	cut  bool
	full func()
}

func (c *capped) Write(b []byte) (int, error) {
	keep := min(len(b), c.max-c.buf.Len())
	c.buf.Write(b[:keep])
	if keep < len(b) && !c.cut && c.full != nil {
		c.full()
	}
	c.cut = c.cut || keep < len(b)
	return len(b), nil
}

// scrub takes credentials out of a text.
func (p process) scrub(text string) string {
	for _, secret := range p.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return userInfo.ReplaceAllString(text, "://***@")
}
