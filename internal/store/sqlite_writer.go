package store

import (
	"context"
	"fmt"
	"sync/atomic"
)

const (
	// maxQueue bounds the requests that wait; further callers wait to queue.
	maxQueue = 256
	// maxBatch bounds how long the first request of a batch waits for the rest.
	maxBatch = 128
)

// writer is the goroutine that writes. It takes all requests that wait as one
// transaction, each within a savepoint, so that many callers share one disk sync.
type writer struct {
	tx    *sqliteTx
	path  string
	guard func(*tx) error // must hold for anything to be written
	queue chan *request
	quit  chan struct{}
	ended chan struct{}

	syncs   bool // the connection's present setting
	pending []*request
}

func startWriter(tx *sqliteTx, path string, guard func(*tx) error) *writer {
	w := &writer{
		tx: tx, path: path, guard: guard, syncs: true,
		queue: make(chan *request, maxQueue), quit: make(chan struct{}), ended: make(chan struct{}),
	}
	go w.run()
	return w
}

// request is one caller's write. Whoever settles it first wins: the writer to
// begin it, or the caller to give it up.
type request struct {
	do         func(*tx) error
	durability durability
	settled    atomic.Bool
	err        error
	done       chan struct{} // closed when err is final
}

func (r *request) settle() bool { return r.settled.CompareAndSwap(false, true) }

// submit has do run by the writer and returns its outcome.
func (w *writer) submit(ctx context.Context, d durability, do func(*tx) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r := &request{do: do, durability: d, done: make(chan struct{})}
	select {
	case w.queue <- r:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.ended:
		return errClosed()
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		if r.settle() {
			return context.Cause(ctx)
		}
	case <-w.ended:
		if r.settle() {
			return errClosed()
		}
	}
	<-r.done
	return r.err
}

// stop ends the writer after the batch under way and closes the connection.
func (w *writer) stop() error {
	close(w.quit)
	<-w.ended
	return w.tx.close()
}

func (w *writer) run() {
	defer close(w.ended)
	for {
		select {
		case r := <-w.queue:
			w.write(w.batch(r))
		case <-w.quit:
			return
		}
	}
}

// batch returns first with what else waits and was not given up.
func (w *writer) batch(first *request) []*request {
	batch := w.pending[:0]
	for r := first; r != nil; r = w.waiting(len(batch)) {
		if r.settle() {
			batch = append(batch, r)
		}
	}
	w.pending = batch
	return batch
}

// waiting returns the next request of a batch that has n, or nil.
func (w *writer) waiting(n int) *request {
	if n == maxBatch {
		return nil
	}
	select {
	case r := <-w.queue:
		return r
	default:
		return nil
	}
}

func (w *writer) write(batch []*request) {
	if len(batch) == 0 {
		return
	}
	err := w.transact(batch)
	for i, r := range batch {
		if err != nil {
			r.err = err
		}
		r.err = classifySQLite(w.path, r.err)
		close(r.done)
		batch[i] = nil // let go of what it holds
	}
}

// transact returns an error that befell the whole batch; those of single requests
// are left in them.
func (w *writer) transact(batch []*request) error {
	if err := w.setSync(batch); err != nil {
		return err
	}
	return w.tx.atomically(func(tx *tx) error {
		if err := w.guard(tx); err != nil {
			return err
		}
		for _, r := range batch {
			var broken error
			r.err, broken = w.tx.nested(func() error { return r.do(tx) })
			if broken != nil {
				return broken
			}
		}
		return nil
	})
}

// setSync has the next commit sync the disk when one of the batch needs it. With
// a write-ahead log that sync covers all earlier commits as well.
func (w *writer) setSync(batch []*request) error {
	want := false
	for _, r := range batch {
		want = want || r.durability == durable
	}
	if want == w.syncs {
		return nil
	}
	mode := "NORMAL"
	if want {
		mode = "FULL"
	}
	if err := w.tx.script("PRAGMA synchronous = " + mode); err != nil {
		return fmt.Errorf("set synchronous to %s: %w", mode, err)
	}
	w.syncs = want
	return nil
}
