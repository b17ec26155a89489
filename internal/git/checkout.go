package git

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Options say what to check out, and where.
type Options struct {
	Remote
	// SHA is the commit, in full.
	SHA string
	// Branch, without refs/heads/, is where to look for SHA on a server that gives
	// out branches only. Empty means such a server's answer is NotFound.
	Branch string
	// Dir becomes the work tree. It is made when missing and must be empty.
	Dir string
	// Depth is how many commits of history come along; 0 means 1.
	Depth int
	// Timeout bounds the whole checkout; 0 means 10 minutes.
	Timeout time.Duration
	// An http transfer below LowSpeedLimit bytes per second for LowSpeedTime is
	// given up; 0 means 1000 bytes per second and 30 seconds.
	LowSpeedLimit int
	LowSpeedTime  time.Duration
}

// deepening are the history lengths tried, in turn, to find a commit through its
// branch.
var deepening = [...]int{50, 1000, 20000}

// Checkout makes Dir a work tree of exactly SHA, with a detached HEAD, neither
// tags nor submodules nor LFS content, and no credential in it. On an error Dir
// holds debris for the caller to remove.
func Checkout(ctx context.Context, o Options) error {
	remote, err := o.check()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	c := checkout{process: newProcess(remote, o.settings()), Options: o}
	if err := c.init(ctx); err != nil {
		return err
	}
	err = c.fetch(ctx, o.Depth, o.SHA)
	if refusesSHA(err) && o.Branch != "" {
		return c.searchBranch(ctx)
	}
	if err != nil {
		return err
	}
	return c.materialise(ctx)
}

// check validates and fills in defaults.
func (o *Options) check() (endpoint, error) {
	remote, err := o.endpoint()
	if err != nil {
		return endpoint{}, err
	}
	if err := checkSHA(o.SHA); err != nil {
		return endpoint{}, err
	}
	if o.Branch != "" {
		if err := checkBranch(o.Branch); err != nil {
			return endpoint{}, err
		}
	}
	o.Depth = max(o.Depth, 1)
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Minute
	}
	if o.LowSpeedLimit <= 0 {
		o.LowSpeedLimit = 1000
	}
	if o.LowSpeedTime <= 0 {
		o.LowSpeedTime = 30 * time.Second
	}
	return remote, nil
}

func (o *Options) settings() map[string]string {
	return map[string]string{
		"http.lowSpeedLimit": strconv.Itoa(o.LowSpeedLimit),
		"http.lowSpeedTime":  strconv.Itoa(int(max(o.LowSpeedTime, time.Second) / time.Second)),
		// A workspace does not outlive a power cut, and one pack is written faster
		// than its many objects.
		"core.fsync":           "none",
		"transfer.unpackLimit": "1",
	}
}

// maxChatter is more than these quiet commands ever print.
const maxChatter = 64 << 10

type checkout struct {
	process
	Options
}

func (c *checkout) git(ctx context.Context, args ...string) error {
	_, err := c.run(ctx, c.Dir, maxChatter, args...)
	return err
}

// init refuses a directory with anything in it: a .git planted there would be
// obeyed.
func (c *checkout) init(ctx context.Context) error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return delivery.Wrap(delivery.Internal, "make the workspace", err)
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return delivery.Wrap(delivery.Internal, "read the workspace", err)
	}
	if len(entries) > 0 {
		return delivery.E(delivery.Invalid, "the checkout's directory is not empty; give an empty one")
	}
	format := "sha1"
	if len(c.SHA) == 64 {
		format = "sha256"
	}
	return c.git(ctx, "init", "--quiet", "--template=", "--initial-branch=main", "--object-format="+format)
}

func (c *checkout) fetch(ctx context.Context, depth int, refspec string) error {
	return c.git(ctx, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
		"--depth="+strconv.Itoa(depth), "--end-of-options", c.url, refspec)
}

func (c *checkout) materialise(ctx context.Context) error {
	return c.git(ctx, "checkout", "--quiet", "--detach", "--no-recurse-submodules", c.SHA)
}

// searchBranch fetches ever more of the branch until SHA is in it.
func (c *checkout) searchBranch(ctx context.Context) error {
	refspec := "+refs/heads/" + c.Branch + ":refs/remotes/origin/" + c.Branch
	var err error
	for _, depth := range deepening {
		if err := c.fetch(ctx, max(depth, c.Depth), refspec); err != nil {
			return err
		}
		if err = c.materialise(ctx); delivery.KindOf(err) != delivery.NotFound {
			return err
		}
	}
	return err
}

// refusesSHA tells a server that would not give out a bare SHA, or lacks it.
func refusesSHA(err error) bool {
	var f *failure
	return errors.As(err, &f) &&
		(strings.Contains(f.stderr, "unadvertised object") || strings.Contains(f.stderr, "not our ref"))
}
