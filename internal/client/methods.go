package client

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/catalog"
	"github.com/shiplock/shiplock/internal/delivery"
)

// path joins escaped segments below the API's prefix.
func path(segments ...string) string {
	p := api.Prefix
	for _, s := range segments {
		p += "/" + url.PathEscape(s)
	}
	return p
}

func fetch[T any](ctx context.Context, c *Client, path string) (v T, err error) {
	err = c.get(ctx, path, &v)
	return v, err
}

func submit[T any](ctx context.Context, c *Client, path string, body any) (v T, err error) {
	err = c.post(ctx, path, body, &v)
	return v, err
}

// Filter narrows lists; empty fields do not.
type Filter struct {
	App, Env, State, Before string
	// Branch is of a plan.
	Branch string
	Limit  int
}

func (f Filter) query() string {
	q := url.Values{}
	for name, value := range map[string]string{"app": f.App, "env": f.Env, "state": f.State, "before": f.Before, "branch": f.Branch} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// Version asks the server what it is; it needs no token.
func (c *Client) Version(ctx context.Context) (api.Version, error) {
	return fetch[api.Version](ctx, c, "/version")
}

// Who asks whose token this is.
func (c *Client) Who(ctx context.Context) (api.Who, error) {
	return fetch[api.Who](ctx, c, path("who"))
}

// Status reads the whole installation in short.
func (c *Client) Status(ctx context.Context) (api.Status, error) {
	return fetch[api.Status](ctx, c, path("status"))
}

// Audit lists who did what.
func (c *Client) Audit(ctx context.Context, f Filter) (api.Page[delivery.AuditEntry], error) {
	return fetch[api.Page[delivery.AuditEntry]](ctx, c, path("audit")+Filter{Before: f.Before, Limit: f.Limit}.query())
}

// Hooks lists deliveries from forges, and how well they come in.
func (c *Client) Hooks(ctx context.Context, f Filter) (api.Hooks, error) {
	return fetch[api.Hooks](ctx, c, path("hooks")+Filter{Limit: f.Limit}.query())
}

// Capacity shows what builds may use, use, and wait for.
func (c *Client) Capacity(ctx context.Context) (api.Capacity, error) {
	return fetch[api.Capacity](ctx, c, path("capacity"))
}

// Doctor has the server check its installation, which may take half a minute.
func (c *Client) Doctor(ctx context.Context) (api.Doctor, error) {
	return fetch[api.Doctor](ctx, c, path("doctor"))
}

// Retention shows what of the past the next pass removes, and why.
func (c *Client) Retention(ctx context.Context) (api.RetentionReport, error) {
	return fetch[api.RetentionReport](ctx, c, path("retention"))
}

// Caches lists what builds start from, the one that was used last first.
func (c *Client) Caches(ctx context.Context, _ Filter) (api.Page[api.CacheSnapshot], error) {
	return fetch[api.Page[api.CacheSnapshot]](ctx, c, path("caches"))
}

// DropCaches has caches removed, and returns which.
func (c *Client) DropCaches(ctx context.Context, d api.DropCaches) (api.Page[api.CacheSnapshot], error) {
	return submit[api.Page[api.CacheSnapshot]](ctx, c, path("caches", "drop"), d)
}

// Apply changes the catalog, or with Dry says what would change. Faults of the
// documents are in Error.Problems.
func (c *Client) Apply(ctx context.Context, a api.Apply) (catalog.Diff, error) {
	return submit[catalog.Diff](ctx, c, path("catalog"), a)
}

// Apps lists apps with their Targets.
func (c *Client) Apps(ctx context.Context) (api.Page[api.App], error) {
	return fetch[api.Page[api.App]](ctx, c, path("apps"))
}

// App reads one app.
func (c *Client) App(ctx context.Context, name string) (api.App, error) {
	return fetch[api.App](ctx, c, path("apps", name))
}

// Environments lists environments by rank.
func (c *Client) Environments(ctx context.Context) (api.Page[api.Environment], error) {
	return fetch[api.Page[api.Environment]](ctx, c, path("environments"))
}

// Stacks lists stacks.
func (c *Client) Stacks(ctx context.Context) (api.Page[api.Stack], error) {
	return fetch[api.Page[api.Stack]](ctx, c, path("stacks"))
}

// Clusters lists clusters.
func (c *Client) Clusters(ctx context.Context) (api.Page[api.Cluster], error) {
	return fetch[api.Page[api.Cluster]](ctx, c, path("clusters"))
}

// Channels lists channels with how sending to them goes.
func (c *Client) Channels(ctx context.Context) (api.Page[api.Channel], error) {
	return fetch[api.Page[api.Channel]](ctx, c, path("channels"))
}

// TestChannel sends a test message to a channel.
func (c *Client) TestChannel(ctx context.Context, name string) (api.ChannelTest, error) {
	return submit[api.ChannelTest](ctx, c, path("channels", name, "test"), struct{}{})
}

// RoleBindings lists who has which role.
func (c *Client) RoleBindings(ctx context.Context) (api.Page[api.RoleBinding], error) {
	return fetch[api.Page[api.RoleBinding]](ctx, c, path("rolebindings"))
}

// Can asks whether a command would be allowed.
func (c *Client) Can(ctx context.Context, ask api.AskCan) (delivery.Decision, error) {
	q := url.Values{"command": {ask.Command}}
	for name, value := range map[string]string{"app": ask.App, "env": ask.Env, "as": ask.As, "groups": strings.Join(ask.Groups, ",")} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return fetch[delivery.Decision](ctx, c, path("access", "can")+"?"+q.Encode())
}

// Plan reads what a run would do with a commit of a branch; "" is the environment's.
func (c *Client) Plan(ctx context.Context, app, env, branch string) (delivery.Plan, error) {
	return fetch[delivery.Plan](ctx, c, path("apps", app, "plan")+Filter{Env: env, Branch: branch}.query())
}

// RefinedPlan reads what a run would do with a commit that has some files. Faults of
// those are in Error.Problems.
func (c *Client) RefinedPlan(ctx context.Context, app string, a api.AskPlan) (delivery.Plan, error) {
	return submit[delivery.Plan](ctx, c, path("apps", app, "plan"), a)
}

// Artifacts lists what an app's runs made.
func (c *Client) Artifacts(ctx context.Context, app string, f Filter) (api.Page[delivery.Artifact], error) {
	return fetch[api.Page[delivery.Artifact]](ctx, c, path("apps", app, "artifacts")+Filter{Limit: f.Limit}.query())
}

// Runs lists runs.
func (c *Client) Runs(ctx context.Context, f Filter) (api.Page[api.RunSummary], error) {
	return fetch[api.Page[api.RunSummary]](ctx, c, path("runs")+f.query())
}

// Run reads a run by id or app#number, or the newest one of an app.
func (c *Client) Run(ctx context.Context, run string) (api.Run, error) {
	return fetch[api.Run](ctx, c, path("runs", run))
}

// StartRun starts a run.
func (c *Client) StartRun(ctx context.Context, a api.StartRun) (api.Run, error) {
	return submit[api.Run](ctx, c, path("runs"), a)
}

// ExplainRun asks why a run is where it is.
func (c *Client) ExplainRun(ctx context.Context, run string) (api.Explanation, error) {
	return fetch[api.Explanation](ctx, c, path("runs", run, "explain"))
}

// CancelRun cancels a run.
func (c *Client) CancelRun(ctx context.Context, run, reason string) (api.Run, error) {
	return submit[api.Run](ctx, c, path("runs", run, "cancel"), api.Reason{Reason: reason})
}

// Releases lists releases.
func (c *Client) Releases(ctx context.Context, f Filter) (api.Page[api.ReleaseSummary], error) {
	return fetch[api.Page[api.ReleaseSummary]](ctx, c, path("releases")+f.query())
}

// Release reads one release.
func (c *Client) Release(ctx context.Context, id delivery.ReleaseID) (api.Release, error) {
	return fetch[api.Release](ctx, c, path("releases", string(id)))
}

// CreateRelease offers an artifact to a Target.
func (c *Client) CreateRelease(ctx context.Context, a api.CreateRelease) (api.Release, error) {
	return submit[api.Release](ctx, c, path("releases"), a)
}

// CommandRelease carries out continue, full, pause, resume, abort or cancel.
func (c *Client) CommandRelease(ctx context.Context, id delivery.ReleaseID, verb, reason string) (api.Release, error) {
	return submit[api.Release](ctx, c, path("releases", string(id), verb), api.Reason{Reason: reason})
}

// RollBack rolls a Target back.
func (c *Client) RollBack(ctx context.Context, app, env string, r api.RollBack) (api.Release, error) {
	return submit[api.Release](ctx, c, path("targets", app, env, "rollback"), r)
}

// Targets lists Targets.
func (c *Client) Targets(ctx context.Context, f Filter) (api.Page[api.Target], error) {
	return fetch[api.Page[api.Target]](ctx, c, path("targets")+Filter{App: f.App, Env: f.Env}.query())
}

// Target reads one Target and what waits for it.
func (c *Client) Target(ctx context.Context, app, env string) (api.TargetDetail, error) {
	return fetch[api.TargetDetail](ctx, c, path("targets", app, env))
}

// TargetHistory lists what was deployed.
func (c *Client) TargetHistory(ctx context.Context, app, env string) (api.Page[api.Deployed], error) {
	return fetch[api.Page[api.Deployed]](ctx, c, path("targets", app, env, "history"))
}

// PauseTarget stops releases from starting.
func (c *Client) PauseTarget(ctx context.Context, app, env, reason string) (api.Target, error) {
	return submit[api.Target](ctx, c, path("targets", app, env, "pause"), api.Reason{Reason: reason})
}

// ResumeTarget undoes PauseTarget.
func (c *Client) ResumeTarget(ctx context.Context, app, env string) (api.Target, error) {
	return submit[api.Target](ctx, c, path("targets", app, env, "resume"), api.Reason{})
}

// ScaleTarget changes how many instances run.
func (c *Client) ScaleTarget(ctx context.Context, app, env string, s api.Scale) (api.Release, error) {
	return submit[api.Release](ctx, c, path("targets", app, env, "scale"), s)
}

// RestartTarget restarts what runs.
func (c *Client) RestartTarget(ctx context.Context, app, env, reason string) (api.Release, error) {
	return submit[api.Release](ctx, c, path("targets", app, env, "restart"), api.Reason{Reason: reason})
}

// Where asks which environments run a commit; app is empty for all apps.
func (c *Client) Where(ctx context.Context, commit, app string) (api.Whereabouts, error) {
	return fetch[api.Whereabouts](ctx, c, path("commits", commit, "where")+Filter{App: app}.query())
}

// Drift tells how what runs stands to its branches; an empty app or env is any.
func (c *Client) Drift(ctx context.Context, app, env string) (api.Page[delivery.Divergence], error) {
	return fetch[api.Page[delivery.Divergence]](ctx, c, path("drift")+Filter{App: app, Env: env}.query())
}

// Secrets lists secrets without their values.
func (c *Client) Secrets(ctx context.Context) (api.Page[api.Secret], error) {
	return fetch[api.Page[api.Secret]](ctx, c, path("secrets"))
}

// SetSecret seals a value below a name.
func (c *Client) SetSecret(ctx context.Context, s api.SetSecret) (api.Secret, error) {
	return submit[api.Secret](ctx, c, path("secrets"), s)
}

// DeleteSecret deletes a secret that no document names.
func (c *Client) DeleteSecret(ctx context.Context, name string) error {
	_, err := submit[struct{}](ctx, c, path("secrets", name, "delete"), nil)
	return err
}

// RotateMasterKey makes another master key and seals all secrets with it.
func (c *Client) RotateMasterKey(ctx context.Context) (api.Rotation, error) {
	return submit[api.Rotation](ctx, c, path("secrets", "rotate-key"), nil)
}

// AuditRecords lists entries of the audit after a sequence and since a time, the oldest
// first.
func (c *Client) AuditRecords(ctx context.Context, after int64, since time.Time) (api.AuditPage, error) {
	q := url.Values{"after": {strconv.FormatInt(after, 10)}, "limit": {"500"}}
	if !since.IsZero() {
		q.Set("since", since.UTC().Format(time.RFC3339))
	}
	return fetch[api.AuditPage](ctx, c, path("audit", "records")+"?"+q.Encode())
}

// CheckAudit looks for entries that were removed or altered.
func (c *Client) CheckAudit(ctx context.Context) (delivery.AuditCheck, error) {
	return fetch[delivery.AuditCheck](ctx, c, path("audit", "check"))
}
