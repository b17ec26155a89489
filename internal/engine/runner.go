package engine

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

// Images is the registry that runners push to. A runner's word about an artifact
// is a claim: the server checks it, and writes the tag itself.
type Images interface {
	// Accept verifies that the manifest is there, tags it, and returns its size.
	Accept(ctx context.Context, repository string, digest delivery.Digest, tag string) (size int64, err error)
}

// Logs keeps what jobs print.
type Logs interface {
	Append(ctx context.Context, attempt string, b api.LogBatch) (api.LogAck, error)
	// Last returns the number of the last line that is kept.
	Last(ctx context.Context, attempt string) (int64, error)
	// Close ends the log of an attempt that is over. What its last line shall be, if
	// anything, is added to a log that has lines; the first call decides.
	Close(ctx context.Context, attempt, last string) error
	// Refresh shows readers here what was written through another server: to the
	// logs of these attempts, or to any.
	Refresh(attempts ...string)
}

// minToken keeps a runner from choosing a token that can be guessed.
const minToken = 20

// Claim hands an attempt's job to its runner.
func (e *Engine) Claim(ctx context.Context, c api.Claim) (api.Assignment, error) {
	protocol, err := protocolFor(c.Protocols)
	if err != nil {
		return api.Assignment{}, err
	}
	if len(c.Token) < minToken {
		return api.Assignment{}, delivery.E(delivery.Invalid, fmt.Sprintf("a runner's token has at least %d characters", minToken))
	}
	if subtle.ConstantTimeCompare([]byte(c.Code), []byte(e.claimCode(c.Attempt))) != 1 {
		return api.Assignment{}, delivery.E(delivery.Denied, "the claim code is not this attempt's")
	}
	run, job, err := e.reportOn(ctx, c.Attempt, func(d *draft, run delivery.Run, job delivery.Job, attempt int) error {
		if protocol < pushProtocol && run.Plan.Image != nil && e.cfg.Pushes != nil {
			return delivery.E(delivery.Invalid, "this plan pushes to a registry that a runner of protocol 2 cannot log in to: install a runner of the server's version")
		}
		return d.record(ctx, run.Ref(), delivery.AttemptClaimed{Job: job.Name, Attempt: attempt, TokenHash: hashToken(c.Token), At: d.now})
	})
	if err != nil {
		return api.Assignment{}, err
	}
	line, err := e.cfg.Logs.Last(ctx, c.Attempt)
	if err != nil {
		return api.Assignment{}, err
	}
	a := e.assignment(run, job, c, line)
	a.Protocol = protocol
	return a, nil
}

// stopExplained is how long the reason of an attempt's end may take to be known.
const stopExplained = 10 * time.Second

// pushProtocol is the version from which runners ask for the login of their push.
const pushProtocol = 3

// protocolFor chooses the newest version that both sides speak.
func protocolFor(offered []int) (int, error) {
	for v := api.RunnerProtocol; v >= api.RunnerProtocol-1; v-- {
		if slices.Contains(offered, v) {
			return v, nil
		}
	}
	return 0, delivery.E(delivery.Invalid, fmt.Sprintf("the runner speaks protocols %v and the server %d and %d: install a runner of the server's version", offered, api.RunnerProtocol, api.RunnerProtocol-1))
}

func (e *Engine) assignment(run delivery.Run, job delivery.Job, c api.Claim, line int64) api.Assignment {
	a := api.Assignment{
		App: run.App, Env: run.Env, Run: run.Name(),
		Clone: api.Clone{
			URL: run.Repo.CloneURL, SHA: run.Commit.SHA, Branch: run.Commit.Branch,
		},
		Caches:    cachesOf(run, e.cfg.SnapshotLimit),
		Heartbeat: e.cfg.Heartbeat.Milliseconds(), Seq: job.Seq, Line: line,
	}
	if e.cfg.Credential != nil {
		a.Clone.Username, a.Clone.Password, a.Clone.Withheld = e.cfg.Credential(run.Repo)
	}
	if a.Clone.Password != "" {
		a.Masks = append(a.Masks, a.Clone.Password)
	}
	a.Plan, a.Push = e.work(run, c.Attempt, c.Token)
	return a
}

// work is what a runner does, and where it pushes to.
func (e *Engine) work(run delivery.Run, key, token string) (delivery.Plan, api.Push) {
	plan := run.Plan
	if plan.Image == nil {
		return plan, api.Push{}
	}
	here := *plan.Image
	here.Base, here.With = e.cfg.inRegistry(here.Base), e.cfg.inRegistry(here.With)
	here.Dockerfile = e.cfg.inRegistry(here.Dockerfile)
	plan.Image = &here
	push := api.Push{
		Registry: e.cfg.Registry, Repository: here.Repository,
		PlainHTTP: e.cfg.PlainHTTP, CA: e.cfg.RegistryCA,
		Labels: map[string]string{
			"org.opencontainers.image.revision": run.Commit.SHA,
			"org.opencontainers.image.source":   run.Repo.CloneURL,
			"org.opencontainers.image.title":    run.App,
		},
	}
	if e.cfg.Pushes == nil {
		push.Username, push.Password = key, token
	}
	return plan, push
}

func cachesOf(run delivery.Run, limit int64) api.Caches {
	read, publish := delivery.CacheDomains(run.App, run.Plan.Protected)
	return api.Caches{Read: read, Publish: publish, Limit: limit}
}

// inRegistry puts the registry's address where a catalog document says
// "{registry}": the address is the installation's, the document is not.
func (c Config) inRegistry(text string) string {
	return strings.ReplaceAll(text, "{registry}", c.Registry)
}

// podHere is a build pod's template with the images of its services as they are named
// in this installation.
func (c Config) podHere(p *delivery.BuildPod) *delivery.BuildPod {
	if p == nil || len(p.Services) == 0 {
		return p
	}
	here := *p
	here.Services = slices.Clone(p.Services)
	for i := range here.Services {
		here.Services[i].Image = c.inRegistry(here.Services[i].Image)
	}
	return &here
}

func imageTag(run delivery.Run) string { return fmt.Sprintf("%d-%s", run.Number, run.Commit.Short()) }

// Report takes a runner's numbered reports in, each once.
func (e *Engine) Report(ctx context.Context, key, token string, reports api.Reports) (api.ReportsAck, error) {
	run, job, err := e.reportOn(ctx, key, func(d *draft, run delivery.Run, job delivery.Job, attempt int) error {
		if attempt != job.Attempt || !holds(job, token) {
			return delivery.ErrGone
		}
		return e.takeIn(ctx, d, run, job, reports.Reports)
	})
	if err != nil {
		return api.ReportsAck{}, err
	}
	return api.ReportsAck{Seq: job.Seq, Cancel: run.Cancel != nil}, nil
}

// takeIn folds the reports that are next in line. What was accepted before is
// acknowledged again, even after the job's end; only a running job has news.
func (e *Engine) takeIn(ctx context.Context, d *draft, run delivery.Run, job delivery.Job, reports []api.Report) error {
	next := job.Seq + 1
	for _, r := range reports {
		if r.Seq < next {
			continue
		}
		if r.Seq > next {
			break // the answer says from where to send again
		}
		if job.State != delivery.JobRunning {
			return delivery.ErrGone
		}
		next++
		ev, err := e.reportEvent(ctx, run, job, r, d.now)
		if err != nil {
			return err
		}
		if err := d.record(ctx, run.Ref(), ev); err != nil {
			return err
		}
	}
	quiet := next == job.Seq+1 && job.State == delivery.JobRunning
	if quiet && d.now.Sub(job.SeenAt) > e.cfg.Limits.Silence/4 { // reports are signs of life themselves
		return d.record(ctx, run.Ref(), delivery.AttemptSeen{Job: job.Name, Attempt: job.Attempt, At: d.now})
	}
	return nil
}

// reportEvent turns a runner's report into a fact.
func (e *Engine) reportEvent(ctx context.Context, run delivery.Run, job delivery.Job, r api.Report, now time.Time) (delivery.Event, error) {
	switch f := r.Finish; {
	case r.Step != nil:
		return delivery.StepReported{Job: job.Name, Attempt: job.Attempt, Seq: r.Seq, Step: *r.Step, At: now}, nil
	case f == nil:
		return nil, delivery.E(delivery.Invalid, fmt.Sprintf("report %d says nothing", r.Seq))
	case f.Outcome == api.OutcomeLost:
		cause := delivery.Because("runner.failed", nil)
		if f.Cause != nil {
			cause = *f.Cause
		}
		return run.Lost(job, now, e.cfg.Limits, cause), nil
	case f.Outcome == api.OutcomeCanceled && run.Cancel == nil:
		// Nobody asked for it: somebody ended the runner from outside.
		cause, err := e.whyStopped(ctx, run.AttemptKey(job))
		return run.Lost(job, now, e.cfg.Limits, cause), err
	default:
		end := delivery.JobFinished{
			Job: job.Name, Attempt: job.Attempt, Seq: r.Seq, Outcome: delivery.JobState(f.Outcome),
			Cause: f.Cause, Caches: f.Caches, At: now,
		}
		var err error
		if end.Artifact, err = e.accept(ctx, run, f); err != nil && delivery.KindOf(err) == delivery.Denied {
			// The registry lets the runner do more than us: another attempt changes nothing.
			end.Outcome, end.Cause, err = delivery.JobFailed, refusedCause(err), nil
		}
		if err != nil {
			return end, err
		}
		cause, err := e.unreleasable(ctx, run, end.Artifact)
		if cause != nil {
			end.Outcome, end.Cause, end.Artifact = delivery.JobFailed, cause, nil
		}
		return end, err
	}
}

// whyStopped is why an attempt was ended from outside, as far as its executor knows. A
// runner may know of its end before anybody else does: a kubelet that evicts a pod says
// so when its containers are gone. Such a runner is killed while it waits here, so that
// what the executor sees of its end is all that counts.
func (e *Engine) whyStopped(ctx context.Context, key string) (delivery.Cause, error) {
	patience, cancel := context.WithTimeout(ctx, stopExplained)
	defer cancel()
	again := time.NewTicker(stopExplained / 20)
	defer again.Stop()
	for {
		if s, err := e.cfg.Executor.Observe(patience, key); err == nil && s.Cause != nil {
			return *s.Cause, nil
		}
		select {
		case <-again.C:
		case <-patience.Done():
			return delivery.Because("attempt.stopped", nil), ctx.Err()
		}
	}
}

// accept checks the artifact that a runner claims to have pushed. A canceled run
// makes none, whatever its runner managed to do meanwhile.
func (e *Engine) accept(ctx context.Context, run delivery.Run, f *api.Finish) (*delivery.Artifact, error) {
	img := run.Plan.Image
	if f.Outcome != api.OutcomeSucceeded || img == nil || run.Cancel != nil {
		return nil, nil
	}
	if f.Artifact == nil {
		return nil, delivery.E(delivery.Invalid, "the plan makes an artifact and the report names none")
	}
	a := *f.Artifact
	size, err := e.cfg.Images.Accept(ctx, img.Repository, a.Digest, imageTag(run))
	if err != nil {
		return nil, err
	}
	if err := boundManifests(run.Plan, &a); err != nil {
		return nil, err
	}
	a.Repository, a.Size, a.Kind = img.Repository, size, img.Artifact.Or()
	a.Runtime = &delivery.ArtifactRuntime{Home: img.Home, Port: img.Port, Logs: img.Logs, Base: img.Base}
	return &a, nil
}

// AppendLog keeps a runner's log lines. Its last ones may come after its last report.
func (e *Engine) AppendLog(ctx context.Context, key, token string, b api.LogBatch) (api.LogAck, error) {
	if _, _, err := e.holder(ctx, key, token); err != nil {
		return api.LogAck{}, err
	}
	ack, err := e.cfg.Logs.Append(ctx, key, b)
	if err == nil {
		e.store.Tell(map[delivery.Ref]int64{logRef(key): ack.Line})
	}
	return ack, err
}

// running returns the run of a token's holder whose job runs, or ErrGone.
func (e *Engine) running(ctx context.Context, key, token string) (delivery.Run, error) {
	run, job, err := e.holder(ctx, key, token)
	if err == nil && job.State != delivery.JobRunning {
		err = delivery.ErrGone
	}
	return run, err
}

// holder returns the run and job whose current attempt holds token, or ErrGone.
func (e *Engine) holder(ctx context.Context, key, token string) (delivery.Run, delivery.Job, error) {
	run, job, attempt, err := e.attempt(ctx, key)
	if err == nil && (attempt != job.Attempt || !holds(job, token)) {
		err = delivery.ErrGone
	}
	return run, job, err
}

// reportOn folds what a runner says into its run, again on fresh state when
// somebody else was faster.
func (e *Engine) reportOn(ctx context.Context, key string, do func(d *draft, run delivery.Run, job delivery.Job, attempt int) error) (delivery.Run, delivery.Job, error) {
	for try := 0; ; try++ {
		run, job, number, err := e.attempt(ctx, key)
		if err != nil {
			return run, job, err
		}
		d := newDraft(e.store, e.now(), delivery.Actor{Kind: delivery.ActorRunner, Name: key})
		d.runs[run.ID] = &loaded[delivery.Run]{before: run, after: run}
		if err := do(d, run, job, number); err != nil {
			return run, job, err
		}
		l := d.runs[run.ID]
		if !l.changed {
			return run, job, nil
		}
		err = e.keep(ctx, d, nil)
		if err == nil {
			return l.after, *l.after.Job(job.Name), nil
		}
		if delivery.KindOf(err) != delivery.Conflict || try == maxConflicts {
			return run, job, err
		}
	}
}

// attempt finds the run and job that a key names.
func (e *Engine) attempt(ctx context.Context, key string) (delivery.Run, delivery.Job, int, error) {
	app, number, name, attempt, err := delivery.ParseAttemptKey(key)
	if err != nil {
		return delivery.Run{}, delivery.Job{}, 0, err
	}
	run, err := e.store.RunByNumber(ctx, app, number)
	if err != nil {
		return run, delivery.Job{}, 0, err
	}
	job := run.Job(name)
	if job == nil {
		return run, delivery.Job{}, 0, delivery.ErrGone
	}
	return run, *job, attempt, nil
}

// AttemptActive tells whether the engine still counts on an attempt: whether it is its
// job's current one, and has not ended.
func (e *Engine) AttemptActive(ctx context.Context, key string) (bool, error) {
	_, job, attempt, err := e.attempt(ctx, key)
	if delivery.KindOf(err) == delivery.NotFound || IsGone(err) {
		return false, nil
	}
	return attempt == job.Attempt && job.State.Active(), err
}

// AppThere tells whether the catalog has an App.
func (e *Engine) AppThere(ctx context.Context, name string) (bool, error) {
	set, err := e.catalogue.current(ctx)
	if err != nil {
		return false, err
	}
	_, ok := set.Apps[name]
	return ok, nil
}

func holds(j delivery.Job, token string) bool {
	return j.TokenHash != "" && subtle.ConstantTimeCompare([]byte(j.TokenHash), []byte(hashToken(token))) == 1
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// IsGone tells whether an error means that an attempt is fenced.
func IsGone(err error) bool { return errors.Is(err, delivery.ErrGone) }
