package local

import (
	"errors"
	"fmt"
	"os"
)

// takeOver watches the attempts that another server started, and settles those
// that ended while nobody watched.
func (e *Executor) takeOver() error {
	all, err := e.attempts()
	if err != nil {
		return err
	}
	ended := map[string]attempt{} // by workspace
	for _, a := range all {
		if _, err := e.find(a); err != nil {
			return err
		}
		held, err := a.held()
		if err != nil {
			return err
		}
		if _, err := os.Lstat(a.path(workspace)); err == nil && !held && a.started() {
			ended[a.path(workspace)] = a
		}
	}
	e.leaveWatched(ended)
	if len(ended) == 0 {
		return nil
	}
	// By marker only: a session's number may be another's by now.
	marks := map[string]bool{}
	for mark := range ended {
		marks[mark] = true
	}
	if err := sweep(marks, 0); err != nil {
		e.Logger.Error("processes of ended attempts stay", "err", err)
	}
	for _, a := range ended {
		e.tell(a)
	}
	return nil
}

// leaveWatched leaves out what a watch will settle.
func (e *Executor) leaveWatched(ended map[string]attempt) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range e.watches {
		delete(ended, w.path(workspace))
	}
}

func (e *Executor) attempts() ([]attempt, error) {
	entries, err := os.ReadDir(e.Dir)
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	var list []attempt
	for _, entry := range entries {
		if a, err := e.attempt(entry.Name()); err == nil && entry.IsDir() {
			list = append(list, a)
		}
	}
	return list, nil
}

// expire removes the records of attempts that ended long ago.
func (e *Executor) expire() error {
	all, err := e.attempts()
	for _, a := range all {
		info, statErr := os.Lstat(a.path(logFile))
		if statErr != nil || e.Now().Sub(info.ModTime()) < e.Keep {
			continue
		}
		if held, heldErr := a.held(); heldErr != nil || held {
			err = errors.Join(err, heldErr)
			continue
		}
		err = errors.Join(err, a.forget())
	}
	return err
}
