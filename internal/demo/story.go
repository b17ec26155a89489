// Package demo tells the whole story of the product with real commits: pushed,
// built, released to dev by themselves and to prod by canary, and rolled back; and
// what becomes of a commit that does not build and of a version that crashes.
package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/shiplock/shiplock/examples"
	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/demo/githost"
)

// Config is what a Story needs.
type Config struct {
	Client *client.Client
	Host   *githost.Host
	// GitURL is where Host listens.
	GitURL         string
	User, Password string
	// Dir is where working copies are made.
	Dir string
	// Say tells people what happens.
	Say func(format string, args ...any)
	Now func() time.Time
}

// Tell tells the story of every example app that this machine has the tools for,
// side by side. The error is for what keeps the story from being told; what falls
// short in it stands in the Report.
func Tell(ctx context.Context, c Config) (Report, error) {
	start := c.Now()
	var report Report
	var stories []*story
	for _, s := range scripts() {
		why, err := s.lacking(ctx)
		switch {
		case err != nil:
			return report, err
		case why != "":
			report.Skipped = append(report.Skipped, Skipped{App: s.app, Why: why})
			c.Say("%s is left out: %s", s.app, why)
		default:
			stories = append(stories, &story{Config: c, script: s, app: App{App: s.app, Language: s.language}})
		}
	}
	err := tellAll(ctx, stories)
	for _, t := range stories {
		report.Apps = append(report.Apps, t.app)
	}
	report.MS = c.Now().Sub(start).Milliseconds()
	report.judge()
	return report, err
}

// tellAll tells a story on each processor, so that builds and waits overlap.
func tellAll(ctx context.Context, stories []*story) error {
	say := sync.Mutex{}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(max(2, runtime.NumCPU()))
	for _, t := range stories {
		shared := t.Say
		t.Say = func(format string, args ...any) {
			say.Lock()
			defer say.Unlock()
			shared("%-13s "+format, append([]any{t.script.app}, args...)...)
		}
		work.Go(func() error {
			if err := t.tell(ctx); err != nil {
				return fmt.Errorf("%s: %w", t.script.app, err)
			}
			return nil
		})
	}
	return work.Wait()
}

// story is one app's.
type story struct {
	Config
	script
	app   App
	repo  *repo
	files map[string][]byte // as they are at the head
	first string            // the commit of the first run
}

func (t *story) tell(ctx context.Context) error {
	for _, chapter := range []func(context.Context) error{
		t.onboard, t.pushToDev, t.firstToProd, t.canary, t.rollBack, t.rebuild, t.breakTheBuild, t.crash, t.mend,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// onboard makes the repository and applies the app's document.
func (t *story) onboard(ctx context.Context) error {
	name := t.script.app
	files, err := examples.Repository(name)
	if err != nil {
		return err
	}
	t.files = files
	project, err := t.Host.CreateRepo(ctx, "demo/"+name)
	if err != nil {
		return err
	}
	url := project.CloneURL(t.GitURL)
	if t.repo, err = newRepo(ctx, filepath.Join(t.Dir, name), url, t.User, t.Password, files); err != nil {
		return err
	}
	doc, err := document(name, url)
	if err != nil {
		return err
	}
	_, err = t.Client.Apply(ctx, api.Apply{Manager: "demo:" + name, Documents: []api.Document{doc}})
	t.Say("(%s) repository %s, one document in the catalog", t.language, url)
	return err
}

// document is the example's, with the repository's real address.
func document(name, repo string) (api.Document, error) {
	app, err := example(name)
	if err != nil {
		return api.Document{}, err
	}
	app.Repo = repo
	doc := catalog.AppDocument(app)
	return api.Document{Kind: doc.Kind, Name: doc.Name, Spec: doc.Spec}, nil
}

func (t *story) pushToDev(ctx context.Context) error {
	sha, err := t.commit(ctx, "v1", map[string][]byte{"VERSION": []byte("v1\n")})
	if err != nil {
		return err
	}
	if err := t.repo.push(ctx, "dev"); err != nil {
		return err
	}
	pushed := t.Now()
	t.Say("  git push dev: commit %.8s", sha)
	run, err := t.watchRun(ctx, "dev", sha)
	if err != nil {
		return err
	}
	t.app.Run = runOf(run)
	if run.State != delivery.RunSucceeded {
		return errors.New("its first build must succeed for the story to go on")
	}
	t.first, t.app.Digest = sha, run.Image.Digest
	rel, err := t.automatic(ctx, run)
	t.app.Run.PushToDev = t.Now().Sub(pushed).Milliseconds()
	if err != nil {
		return err
	}
	return t.measured(ctx, rel)
}

func (t *story) firstToProd(ctx context.Context) error {
	rel, err := t.release(ctx, func(r api.Release) bool { return r.State.Terminal() })
	if err != nil {
		return err
	}
	return t.measured(ctx, rel)
}

// canary releases v2: a quarter of the requests, a look, and then all.
func (t *story) canary(ctx context.Context) error {
	if _, err := t.commit(ctx, "v2", map[string][]byte{"VERSION": []byte("v2\n")}); err != nil {
		return err
	}
	load, err := t.traffic(ctx, "prod")
	if err != nil {
		return err
	}
	defer load.stop()
	rel, err := t.release(ctx, func(r api.Release) bool { return r.Manual || r.State.Terminal() })
	if err != nil {
		return err
	}
	told := Release{Env: "prod", Strategy: rel.Strategy}
	for rel.Manual {
		if err := t.batch(ctx, load, rel, &told); err != nil {
			return err
		}
		t.Say("  release continue")
		if _, err := t.Client.CommandRelease(ctx, rel.ID, "continue", ""); err != nil {
			return err
		}
		if rel, err = t.watchRelease(ctx, rel.ID, func(r api.Release) bool { return r.Manual || r.State.Terminal() }); err != nil {
			return err
		}
	}
	if err := t.batch(ctx, load, rel, &told); err != nil {
		return err
	}
	told.State = rel.State
	t.app.Releases = append(t.app.Releases, told)
	if _, failed := share(load.stop(), ""); failed > 0 {
		told.Batches[len(told.Batches)-1].Failed = failed // between the batches, too
	}
	return nil
}

func (t *story) rollBack(ctx context.Context) error {
	load, err := t.traffic(ctx, "prod")
	if err != nil {
		return err
	}
	defer load.stop()
	before, err := t.Client.Target(ctx, t.script.app, "prod")
	if err != nil {
		return err
	}
	if _, err := load.atLeast(ctx, time.Time{}, minRequests/4); err != nil {
		return err
	}
	start := t.Now()
	rel, err := t.Client.RollBack(ctx, t.script.app, "prod", api.RollBack{Reason: "the demo goes back"})
	if err != nil {
		return err
	}
	if rel, err = t.watchRelease(ctx, rel.ID, func(r api.Release) bool { return r.State.Terminal() }); err != nil {
		return err
	}
	if _, err := load.atLeast(ctx, t.Now(), minRequests/4); err != nil {
		return err
	}
	answers := load.stop()
	last := start
	for _, a := range answers {
		if a.revision == string(before.Running.ID) {
			last = a.at
		}
	}
	_, failed := share(answers, "")
	t.app.Rollback = &Rollback{MS: last.Sub(start).Milliseconds(), Requests: len(answers), Failed: failed, State: rel.State}
	t.Say("  release rollback: all traffic back on the old version after %d ms, %d of %d requests failed", t.app.Rollback.MS, failed, len(answers))
	return nil
}

// rebuild builds the first commit once more, in a fresh workspace: the image must be
// the same. It is built for prod, where nothing follows from it.
func (t *story) rebuild(ctx context.Context) error {
	t.Say("  run start --env prod --commit %.8s: the first commit once more", t.first)
	run, err := t.Client.StartRun(ctx, api.StartRun{App: t.script.app, Env: "prod", Commit: t.first})
	if err != nil {
		return err
	}
	if run, err = t.followRun(ctx, run.ID); err != nil {
		return err
	}
	t.app.Rebuilt = &Rebuilt{}
	switch {
	case run.Image == nil:
		t.app.Rebuilt.Reason = "the second build " + string(run.State)
	default:
		t.app.Rebuilt.Digest = run.Image.Digest
		t.app.Rebuilt.Same = run.Image.Digest == t.app.Digest
	}
	if r := t.app.Rebuilt; r.Same {
		t.Say("    the same image again: %s", r.Digest.Short())
	} else {
		r.Reason = cmp.Or(r.Reason, fmt.Sprintf("the first build made the image %s, the second %s", t.app.Digest.Short(), r.Digest.Short()))
		t.Say("    not the same: %s", r.Reason)
	}
	return nil
}

func (t *story) breakTheBuild(ctx context.Context) error {
	run, err := t.pushEdit(ctx, t.broken, "a commit that does not build")
	if err != nil {
		return err
	}
	t.app.Build = &Failure{State: string(run.State), Cause: run.Cause}
	return t.repo.revert(ctx)
}

// crash pushes a version that ends at start; dev goes on with the old one.
func (t *story) crash(ctx context.Context) error {
	load, err := t.traffic(ctx, "dev")
	if err != nil {
		return err
	}
	defer load.stop()
	run, err := t.pushEdit(ctx, t.crashing, "a version that crashes at start")
	if err != nil || run.State != delivery.RunSucceeded {
		return err
	}
	rel, err := t.automatic(ctx, run)
	if err != nil {
		return err
	}
	answers := load.stop()
	_, failed := share(answers, "")
	t.app.Crash = &Failure{State: string(rel.State), Cause: rel.Cause, Requests: len(answers), Failed: failed}
	t.Say("  the old version kept serving: %d of %d requests failed", failed, len(answers))
	return t.repo.revert(ctx)
}

// mend leaves dev with a good version, so that whoever goes on finds one.
func (t *story) mend(ctx context.Context) error {
	sha, err := t.repo.commit(ctx, "back to what works")
	if err != nil {
		return err
	}
	if err := t.repo.push(ctx, "dev"); err != nil {
		return err
	}
	run, err := t.watchRun(ctx, "dev", sha)
	if err != nil || run.State != delivery.RunSucceeded {
		return err
	}
	_, err = t.automatic(ctx, run)
	return err
}

// commit changes files and commits them.
func (t *story) commit(ctx context.Context, message string, files map[string][]byte) (string, error) {
	if err := t.repo.write(files); err != nil {
		return "", err
	}
	maps.Copy(t.files, files)
	return t.repo.commit(ctx, message)
}

// pushEdit pushes a bad commit to dev and waits for its run; the caller reverts it.
func (t *story) pushEdit(ctx context.Context, e edit, message string) (api.Run, error) {
	files, err := e.apply(t.files)
	if err != nil {
		return api.Run{}, err
	}
	if err := t.repo.write(files); err != nil {
		return api.Run{}, err
	}
	sha, err := t.repo.commit(ctx, message)
	if err != nil {
		return api.Run{}, err
	}
	t.Say("  git push dev: %s", message)
	if err := t.repo.push(ctx, "dev"); err != nil {
		return api.Run{}, err
	}
	return t.watchRun(ctx, "dev", sha)
}

// release pushes the head to the release branch, releases its run to prod, and
// waits until the release is as wanted.
func (t *story) release(ctx context.Context, until func(api.Release) bool) (api.Release, error) {
	sha, err := t.repo.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return api.Release{}, err
	}
	if err := t.repo.push(ctx, "release"); err != nil {
		return api.Release{}, err
	}
	t.Say("  git push release: it is built, and waits for a person")
	run, err := t.watchRun(ctx, "prod", sha)
	if err != nil {
		return api.Release{}, err
	}
	rel, err := t.Client.CreateRelease(ctx, api.CreateRelease{App: t.script.app, Env: "prod", Run: run.Number})
	if err != nil {
		return rel, err
	}
	t.Say("  release create %s --env prod --run %d", t.script.app, run.Number)
	return t.watchRelease(ctx, rel.ID, until)
}
