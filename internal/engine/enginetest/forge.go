package enginetest

import (
	"context"
	"fmt"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Forge takes every commit status, clones from any URL, and has one commit at the
// head of every branch. The zero value is ready. Calls: status, with the context
// and the state; head, with the branch; changed, with the first digits of the commits.
type Forge struct {
	Script
	// Paths are what every two commits differ by.
	Paths []string
}

// Head is the commit at the head of every branch.
var Head = strings.Repeat("cd", 20)

// SetStatus implements engine.Forge.
func (f *Forge) SetStatus(_ context.Context, s delivery.CommitStatus) error {
	return f.do("status "+s.Context+" "+string(s.State), func() error { return nil })
}

// Repo implements engine.Forge.
func (*Forge) Repo(setting string) (delivery.Repo, error) {
	return delivery.Repo{CloneURL: setting}, nil
}

// Head implements engine.Forge.
func (f *Forge) Head(_ context.Context, _ delivery.Repo, branch string) (c delivery.Commit, err error) {
	err = f.do("head "+branch, func() error {
		c = delivery.Commit{SHA: Head, Branch: branch}
		return nil
	})
	return c, err
}

// Changed implements engine.Forge.
func (f *Forge) Changed(_ context.Context, _ delivery.Repo, before, after string) (paths []string, err error) {
	err = f.do(fmt.Sprintf("changed %.1s %.1s", before, after), func() error {
		paths = f.Paths
		return nil
	})
	return paths, err
}
