package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// allLines are more than the supervisor gives.
	allLines = 1 << 20
	// lookEvery is how often a follower looks for new versions.
	lookEvery = 250 * time.Millisecond
)

// ReadLog hands on what an App prints, one version after the other, and with Follow what
// comes after that, until ctx ends; hand may take its time. NotFound when nothing runs.
// Invalid: logs of this machine have no times, and go on over restarts.
func (p *Deployer) ReadLog(ctx context.Context, app, env string, q delivery.AppLogQuery, hand func(delivery.AppLine) error) error {
	if !q.Since.IsZero() || q.Previous {
		return delivery.E(delivery.Invalid, fmt.Sprintf("apps on this machine keep one log for all instances, without times: ask for %s/%s with --tail, without --since and --previous", app, env))
	}
	r := &logReader{p: p, key: delivery.TargetKey(app, env), lines: q.Lines, hand: hand, seen: map[string]bool{}}
	if r.lines == 0 {
		r.lines = allLines
	}
	running, err := r.versions(ctx)
	if delivery.KindOf(err) == delivery.NotFound || err == nil && len(running) == 0 {
		err = delivery.E(delivery.NotFound, fmt.Sprintf("nothing of %s/%s runs", app, env))
	}
	if err != nil && (!q.Follow || delivery.KindOf(err) != delivery.NotFound) {
		return err
	}
	if q.Follow {
		return r.follow(ctx)
	}
	for _, v := range running {
		if err := r.read(ctx, v, false, hand); err != nil {
			return err
		}
	}
	return nil
}

// logReader reads the logs of one Target for one reader.
type logReader struct {
	p     *Deployer
	key   string
	lines int
	hand  func(delivery.AppLine) error
	// seen are versions whose log was read before.
	seen map[string]bool
}

// versions are those that run, or are on their way.
func (r *logReader) versions(ctx context.Context) (running []string, err error) {
	var seen Observation
	err = r.p.with(ctx, func(c *Client) (err error) {
		seen, err = c.Observe(ctx, r.key)
		return err
	})
	for _, v := range seen.Versions {
		if v.Wished || v.State != Stopped {
			running = append(running, v.ID)
		}
	}
	return running, err
}

// follow reads the log of each version that runs, and of those that come.
func (r *logReader) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var owned sync.WaitGroup
	defer owned.Wait()
	defer cancel()
	lines, ended := make(chan delivery.AppLine), make(chan string)
	open := map[string]context.CancelFunc{}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		running, err := r.versions(ctx)
		if kind := delivery.KindOf(err); err != nil && kind != delivery.NotFound && kind != delivery.Unavailable {
			return err
		}
		for _, v := range running {
			if open[v] == nil {
				open[v] = r.tail(ctx, &owned, v, lines, ended)
			}
		}
		if err := r.relay(ctx, lines, ended, open, look.C); err != nil {
			return err
		}
	}
}

// tail follows one log in a goroutine, and returns what ends it.
func (r *logReader) tail(ctx context.Context, owned *sync.WaitGroup, version string, lines chan<- delivery.AppLine, ended chan<- string) context.CancelFunc {
	ctx, cancel := context.WithCancel(ctx)
	one := *r
	if r.seen[version] {
		one.lines = 0 // the supervisor was replaced
	}
	r.seen[version] = true
	owned.Go(func() {
		_ = one.read(ctx, version, true, func(l delivery.AppLine) error { // it is opened again
			select {
			case lines <- l:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		select {
		case ended <- version:
		case <-ctx.Done():
		}
	})
	return cancel
}

// relay hands on lines until it is time to look for versions again.
func (r *logReader) relay(ctx context.Context, lines <-chan delivery.AppLine, ended <-chan string, open map[string]context.CancelFunc, look <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case l := <-lines:
			if err := r.hand(l); err != nil {
				return err
			}
		case v := <-ended:
			open[v]()
			delete(open, v)
		case <-look:
			return nil
		}
	}
}

// read passes on the log of one version.
func (r *logReader) read(ctx context.Context, version string, follow bool, hand func(delivery.AppLine) error) error {
	var log io.ReadCloser
	err := r.p.with(ctx, func(c *Client) (err error) {
		log, err = c.Logs(ctx, r.key, version, r.lines, follow)
		return err
	})
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // it was only read
	in := bufio.NewReaderSize(log, delivery.MaxAppLine)
	for {
		text, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			err = nil // a longer line comes in pieces
		}
		if len(text) > 0 {
			line := delivery.AppLine{Revision: delivery.RevisionID(version), Text: strings.TrimRight(string(text), "\r\n")}
			if err := hand(line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unavailable(err)
		}
	}
}
