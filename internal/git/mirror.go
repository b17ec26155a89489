package git

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// mirrorLimit bounds one question, what has to be fetched for it included.
	mirrorLimit = 60 * time.Second
	// maxPacks is how often a mirror is added to before it is made anew.
	maxPacks = 40
	// sizeCheck is how often the size of what is being fetched is looked at.
	sizeCheck = 500 * time.Millisecond
)

// Mirrors keeps bare repositories that hold commits only, without their trees and
// files where the server knows partial clones, so that questions about history cost a
// few kilobytes. It is a cache: everything in it may be deleted at any time.
type Mirrors struct {
	// Dir is made when missing.
	Dir string
	// MaxRepo and MaxAll bound the bytes of one mirror and of all. The mirror that
	// was not used for the longest time goes first.
	MaxRepo, MaxAll int64

	mu   sync.Mutex
	busy map[string]chan struct{} // one token per mirror
}

// mirror is a repository that is locked for one question.
type mirror struct {
	process         // may speak to the remote
	local   process // may not: what is missing stays missing
	dir     string
	max     int64
}

// with locks the mirror of a remote for a question.
func (m *Mirrors) with(ctx context.Context, r Remote, sample string, ask func(context.Context, mirror) error) error {
	remote, err := r.endpoint()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, mirrorLimit)
	defer cancel()
	sum := sha256.Sum256([]byte(remote.url))
	dir := filepath.Join(m.Dir, hex.EncodeToString(sum[:16]))
	token := m.token(dir)
	select {
	case token <- struct{}{}:
		defer func() { <-token }()
	case <-ctx.Done():
		return stopped("fetch", context.Cause(ctx))
	}
	one := mirror{process: newProcess(remote, fetchSettings()), local: newProcess(endpoint{protocols: "none"}, nil), dir: dir, max: m.MaxRepo}
	if err := one.open(ctx, sample); err != nil {
		return err
	}
	defer m.trim(dir)
	return ask(ctx, one)
}

func (m *Mirrors) token(dir string) chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy == nil {
		m.busy = map[string]chan struct{}{}
	}
	if m.busy[dir] == nil {
		m.busy[dir] = make(chan struct{}, 1)
	}
	return m.busy[dir]
}

// open makes the repository when it is missing, and anew when it was added to often
// or is too large.
func (m mirror) open(ctx context.Context, sample string) error {
	packs, _ := filepath.Glob(filepath.Join(m.dir, "objects", "pack", "*.pack"))
	if len(packs) > maxPacks || sizeOf(m.dir) > m.max {
		if err := os.RemoveAll(m.dir); err != nil {
			return delivery.Wrap(delivery.Internal, "remove a mirror", err)
		}
	}
	if _, err := os.Stat(filepath.Join(m.dir, "HEAD")); err != nil {
		if err := os.MkdirAll(m.dir, 0o700); err != nil {
			return delivery.Wrap(delivery.Internal, "make a mirror", err)
		}
		if err := m.initBare(ctx, m.dir, sample); err != nil {
			return err
		}
	}
	now := time.Now()
	_ = os.Chtimes(m.dir, now, now) // only says which mirror is the oldest
	return nil
}

// has tells whether a commit is here.
func (m mirror) has(ctx context.Context, sha string) bool {
	_, err := m.local.run(ctx, m.dir, maxChatter, "cat-file", "-e", sha+"^{commit}")
	return err == nil
}

// need fetches a commit with its history, unless it is here. NotFound when the server
// does not have it any more.
func (m mirror) need(ctx context.Context, shas ...string) error {
	for _, sha := range shas {
		if err := checkSHA(sha); err != nil {
			return err
		}
		if m.has(ctx, sha) {
			continue
		}
		if err := m.fetch(ctx, sha); err != nil {
			return err
		}
	}
	return nil
}

func (m mirror) fetch(ctx context.Context, sha string) error {
	ctx, stop := watchSize(ctx, m.dir, m.max)
	defer stop()
	_, err := m.run(ctx, m.dir, maxChatter, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
		"--filter=tree:0", "--end-of-options", m.url, "+"+sha+":refs/keep/"+sha)
	if errors.Is(err, errTooLarge) {
		return errTooLarge
	}
	return err
}

// lines runs a command that asks nobody else, and returns its lines.
func (m mirror) lines(ctx context.Context, args ...string) ([]string, error) {
	out, err := m.local.run(ctx, m.dir, maxChatter, args...)
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(out)), nil
}

// trim deletes the mirrors that were used the longest time ago, except the one that is
// in use, while all together are too large.
func (m *Mirrors) trim(used string) {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return
	}
	type kept struct {
		dir  string
		size int64
		at   time.Time
	}
	var all []kept
	var sum int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue
		}
		k := kept{dir: filepath.Join(m.Dir, e.Name()), at: info.ModTime()}
		k.size = sizeOf(k.dir)
		sum += k.size
		all = append(all, k)
	}
	for sum > m.MaxAll {
		oldest := -1
		for i, k := range all {
			if k.size > 0 && k.dir != used && (oldest < 0 || k.at.Before(all[oldest].at)) {
				oldest = i
			}
		}
		if oldest < 0 || !m.drop(all[oldest].dir) {
			return
		}
		sum -= all[oldest].size
		all[oldest].size = 0
	}
}

// drop deletes a mirror unless it is in use.
func (m *Mirrors) drop(dir string) bool {
	token := m.token(dir)
	select {
	case token <- struct{}{}:
		defer func() { <-token }()
	default:
		return false
	}
	return os.RemoveAll(dir) == nil
}

// errTooLarge ends what fetches more than it may.
var errTooLarge = delivery.E(delivery.Invalid, "the repository is larger than what may be fetched to look at its history")

// watchSize ends the context with errTooLarge when a directory grows beyond max bytes.
func watchSize(ctx context.Context, dir string, limit int64) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(sizeCheck)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if sizeOf(dir) > limit {
				cancel(errTooLarge)
			}
		}
	})
	return ctx, func() { cancel(nil); watching.Wait() }
}

// sizeOf sums up the files below a directory, as far as they can be read.
func sizeOf(dir string) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum
}

// fetchSettings are those of a fetch that nobody builds from.
func fetchSettings() map[string]string {
	return map[string]string{
		"core.fsync":           "none",
		"transfer.unpackLimit": "1",
		"http.lowSpeedLimit":   "1000",
		"http.lowSpeedTime":    "10",
	}
}

// initBare makes an empty repository for commits like sample.
func (p process) initBare(ctx context.Context, dir, sample string) error {
	format := "sha1"
	if len(sample) == 64 {
		format = "sha256"
	}
	_, err := p.run(ctx, dir, maxChatter, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", "--object-format="+format)
	return err
}

// errAmbiguous says that a short SHA names several commits.
func errAmbiguous(short string) error {
	return delivery.E(delivery.Invalid, fmt.Sprintf("%s is the beginning of several commits: give more of its digits", short))
}
