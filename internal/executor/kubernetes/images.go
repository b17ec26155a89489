package kubernetes

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	// prepareLimit bounds how long an image may take to get its runner: a large one is
	// copied once, from its registry to ours.
	prepareLimit = 20 * time.Minute
	// fresh is how long a tag is taken to name the same image, and stale how long a
	// failure is not tried again.
	fresh = 10 * time.Minute
	stale = 15 * time.Second
	// preparers is how many images get their runner at a time.
	preparers = 2
)

// images gives build images their runner, each once for all attempts that want it.
type images struct {
	withRunner func(ctx context.Context, image string) (string, error)
	standard   string // of Plans that name none
	log        *slog.Logger
	now        func() time.Time
	// ready is called for each attempt that waited for an image.
	ready func(key string)
	asked chan string

	mu    sync.Mutex
	known map[string]*prepared
}

// prepared is an image with its runner, or on the way there.
type prepared struct {
	ref     string
	err     error
	at      time.Time // of the last answer
	under   bool      // it is being prepared
	waiting map[string]bool
}

func newImages(c Config, ready func(key string)) *images {
	return &images{
		withRunner: c.WithRunner, standard: c.Image, log: c.Logger, now: c.Now, ready: ready,
		asked: make(chan string, 1000), known: map[string]*prepared{},
	}
}

// get returns the image of an attempt, or "" and what the attempt waits for.
func (m *images) get(spec delivery.AttemptSpec) (string, delivery.AttemptStatus) {
	name := spec.Image
	if name == "" {
		name = m.standard
	}
	if name == "" {
		cause := delivery.Because(delivery.AttemptNoImage, nil)
		return "", delivery.AttemptStatus{Phase: delivery.AttemptOver, Cause: &cause}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.known[name]
	if p == nil {
		p = &prepared{waiting: map[string]bool{}}
		m.known[name] = p
	}
	age := m.now().Sub(p.at)
	wanted := p.ref == "" && (p.err == nil || age >= stale) || p.ref != "" && age >= fresh
	if wanted && !p.under {
		select {
		case m.asked <- name:
			p.under = true
		default: // so many are asked for that this one is asked for again
		}
	}
	if p.ref != "" {
		return p.ref, delivery.AttemptStatus{}
	}
	p.waiting[spec.Key] = true
	return "", delivery.AttemptStatus{Phase: delivery.AttemptPending, Cause: p.wait(name)}
}

// wait is why an attempt waits for the image.
func (p *prepared) wait(name string) *delivery.Cause {
	if p.err == nil {
		c := delivery.Because("attempt.preparing", delivery.Args{"image": name})
		return &c
	}
	reason := p.err.Error()
	var known *delivery.Error
	if errors.As(p.err, &known) && known.Msg != "" {
		reason = known.Msg
	}
	c := delivery.Because(delivery.AttemptImage, delivery.Args{"image": name, "reason": reason})
	return &c
}

// run prepares what is asked for until ctx ends.
func (m *images) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for range preparers {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case name := <-m.asked:
					m.prepare(ctx, name)
				}
			}
		})
	}
}

func (m *images) prepare(ctx context.Context, name string) {
	began := m.now()
	limited, cancel := context.WithTimeout(ctx, prepareLimit)
	defer cancel()
	ref, err := m.withRunner(limited, name)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		m.log.Warn("build image not ready", "image", name, "err", err)
	default:
		m.log.Info("build image ready", "image", name, "ref", ref, "dur", m.now().Sub(began).Round(time.Millisecond).String())
	}
	m.mu.Lock()
	p := m.known[name]
	p.under, p.at, p.err = false, m.now(), err
	if err == nil {
		p.ref = ref
	}
	waiting := p.waiting
	p.waiting = map[string]bool{}
	m.mu.Unlock()
	for key := range waiting {
		m.ready(key)
	}
}
