package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

// lister reads one kind of thing and shows it as rows.
type lister func(ctx context.Context, c *console, cl *client.Client, f client.Filter) error

func (c *console) getCommand() *cobra.Command {
	return group(&cobra.Command{Use: "get", Short: "List what there is"},
		c.listCommand("apps", "Apps with their state in each environment", listOf(apps, "APP TEAM STACK ENVIRONMENTS MANAGER", appRow)),
		c.listCommand("environments", "Environments in order of rank", listOf(environments, "ENVIRONMENT BRANCH RELEASES STRATEGY BAKE PLACE MANAGER", environmentRow)),
		c.listCommand("stacks", "Stacks", listOf(stacks, "STACK LANGUAGE BASE STEPS MANAGER", stackRow)),
		c.listCommand("clusters", "Clusters that environments are in", listOf(clusters, "CLUSTER VERSION KUBECONFIG CONTEXT ENVIRONMENTS MANAGER CAUSE", clusterRow)),
		c.listCommand("channels", "Channels that are told what happens, and how sending to them goes", listOf(channels, channelHead, channelRow)),
		c.listCommand("windows", "Windows, which say when releases may begin", listOf((*client.Client).Windows, "WINDOW KIND WHEN ZONE SCOPE OVERRUN MANAGER", windowRow)),
		c.listCommand("calendars", "Calendars of holidays and make-up workdays", listOf((*client.Client).Calendars, "CALENDAR YEARS WINDOWS MANAGER", calendarRow)),
		c.listCommand("rolebindings", "Who has which role, and where", listOf(roleBindings, "ROLEBINDING ROLE SUBJECTS SCOPE MANAGER", roleBindingRow)),
		c.listCommand("runs", "Runs, the newest first", listOf((*client.Client).Runs, runHead, runRow), "app", "env", "state", "limit"),
		c.listCommand("releases", "Releases, the newest first", listOf((*client.Client).Releases, releaseHead, releaseRow), "app", "env", "state", "limit"),
		c.listCommand("approvalpolicies", "Whose approval releases need", listOf((*client.Client).ApprovalPolicies, policyHead, policyRow)),
		c.listCommand("delegations", "Who approves in whose place", listOf((*client.Client).Delegations, delegationHead, delegationRow)),
		c.getTargets(),
		c.listCommand("hooks", "Deliveries from forges, the newest first", hooks, "limit"),
		c.listCommand("artifacts", "What an app's runs made, the newest first", listOf(artifacts, "DIGEST KIND RUN COMMIT ENV AGE", artifactRow), "app", "limit"),
		c.listCommand("caches", "Caches of builds, the one used last first", listOf((*client.Client).Caches, cacheHead, cacheRow)),
		c.listCommand("audit", "Who did what, the newest first", listOf((*client.Client).Audit, "AGE FROM WHO COMMAND SUBJECT RULE DETAIL", auditRow), "limit"),
	)
}

// getTargets lists Targets, or shows the one that is named.
func (c *console) getTargets() *cobra.Command {
	cmd := c.listCommand("targets [APP/ENV]", "Apps in environments", listOf((*client.Client).Targets, "TARGET STATE RUNNING READY URL", targetRow), "app", "env")
	list := cmd.RunE
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return list(cmd, args)
		}
		app, env, ok := strings.Cut(args[0], "/")
		if !ok || len(args) > 1 {
			return usageOf(cmd, "name one app and environment, like shop/prod, or none for all")
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		return c.showTarget(cmd.Context(), cl, app, env)
	}
	return cmd
}

// listCommand makes one verb of get with the filters that it knows.
func (c *console) listCommand(name, short string, list lister, filters ...string) *cobra.Command {
	var f client.Filter
	cmd := &cobra.Command{Use: name, Short: short, Args: exactly(0), RunE: func(cmd *cobra.Command, _ []string) error {
		cl, err := c.client()
		if err != nil {
			return err
		}
		return list(cmd.Context(), c, cl, f)
	}}
	for _, name := range filters {
		switch name {
		case "app":
			cmd.Flags().StringVar(&f.App, "app", "", "only of this app")
		case "env":
			cmd.Flags().StringVar(&f.Env, "env", "", "only in this environment")
		case "state":
			cmd.Flags().StringVar(&f.State, "state", "", "only in this state")
		case "limit":
			cmd.Flags().IntVar(&f.Limit, "limit", 30, "at most this many")
		}
	}
	c.complete(cmd)
	return cmd
}

// listOf shows a page as rows, or as one JSON object per line.
func listOf[T any](read func(*client.Client, context.Context, client.Filter) (api.Page[T], error), head string, row func(item T, now time.Time) []string) lister {
	return func(ctx context.Context, c *console, cl *client.Client, f client.Filter) error {
		page, err := read(cl, ctx, f)
		if err != nil {
			return err
		}
		rows := make([][]string, len(page.Items))
		for i, item := range page.Items {
			if c.asJSON() {
				if err := c.printJSON(item); err != nil {
					return err
				}
			}
			rows[i] = row(item, c.Now())
		}
		if !c.asJSON() {
			c.table(head, rows)
		}
		return nil
	}
}

// Lists that take no filter, or need one.

func apps(cl *client.Client, ctx context.Context, _ client.Filter) (api.Page[api.App], error) {
	return cl.Apps(ctx)
}

func environments(cl *client.Client, ctx context.Context, _ client.Filter) (api.Page[api.Environment], error) {
	return cl.Environments(ctx)
}

func stacks(cl *client.Client, ctx context.Context, _ client.Filter) (api.Page[api.Stack], error) {
	return cl.Stacks(ctx)
}

func clusters(cl *client.Client, ctx context.Context, _ client.Filter) (api.Page[api.Cluster], error) {
	return cl.Clusters(ctx)
}

func roleBindings(cl *client.Client, ctx context.Context, _ client.Filter) (api.Page[api.RoleBinding], error) {
	return cl.RoleBindings(ctx)
}

func artifacts(cl *client.Client, ctx context.Context, f client.Filter) (api.Page[delivery.Artifact], error) {
	if f.App == "" {
		return api.Page[delivery.Artifact]{}, &usageError{msg: "artifacts of which app? add --app APP", hint: "see `shiplock get artifacts --help`"}
	}
	return cl.Artifacts(ctx, f.App, f)
}

const (
	runHead     = "RUN ENV STATE COMMIT BY AGE TOOK CAUSE"
	releaseHead = "TARGET KIND STATE VERSION PROGRESS BY AGE RELEASE CAUSE"
)

func appRow(a api.App, _ time.Time) []string {
	var envs []string
	for _, t := range a.Targets {
		envs = append(envs, fmt.Sprintf("%s=%s", t.Env, strings.TrimSpace(string(t.State)+" "+runningOf(t))))
	}
	return []string{a.Name, a.Team, a.Stack, strings.Join(envs, ", "), a.Manager}
}

func runningOf(t api.Target) string {
	if t.Running == nil {
		return ""
	}
	return "#" + strconv.Itoa(t.Running.RunNumber)
}

func environmentRow(e api.Environment, _ time.Time) []string {
	releases := "by hand"
	if e.Automatic {
		releases = "automatic"
	}
	bake := ""
	if e.Bake != 0 {
		bake = span(time.Duration(e.Bake))
	}
	place := "" // the server's own machine
	if e.Cluster != "" {
		place = e.Cluster + "/" + e.Namespace
	}
	return []string{e.Name, e.Branch, releases, e.Strategy.Kind(), bake, place, e.Manager}
}

func stackRow(s api.Stack, _ time.Time) []string {
	var steps []string
	for _, step := range s.Build.Steps {
		steps = append(steps, step.Name)
	}
	return []string{s.Name, s.Language, s.Runtime.Base, strings.Join(steps, " "), s.Manager}
}

func clusterRow(cl api.Cluster, _ time.Time) []string {
	return []string{cl.Name, cl.Version, cl.Kubeconfig, cl.Context, strings.Join(cl.Environments, ","), cl.Manager, cl.Cause.String()}
}

func runRow(r api.RunSummary, now time.Time) []string {
	return []string{
		r.Name, r.Env, runState(r), r.Commit.Short(), r.By.String(), age(now, r.CreatedAt),
		took(r.StartedAt, r.FinishedAt), r.Cause.String(),
	}
}

// runState is the state, and the step under way.
func runState(r api.RunSummary) string {
	if r.Step == "" {
		return string(r.State)
	}
	return string(r.State) + ": " + r.Step
}

func releaseRow(r api.ReleaseSummary, now time.Time) []string {
	return []string{
		r.App + "/" + r.Env, string(r.Kind), string(r.State), marked(r), r.Describe,
		r.By.String(), age(now, r.CreatedAt), string(r.ID), r.Cause.String(),
	}
}

func targetRow(t api.Target, _ time.Time) []string {
	running, ready := "", ""
	if t.Running != nil {
		running = revision(*t.Running)
	}
	for _, v := range t.Versions {
		ready += fmt.Sprintf("%d/%d ", v.Ready, v.Total)
	}
	state := string(t.State)
	if len(t.Drift) > 0 {
		state += fmt.Sprintf(", drift %d", len(t.Drift))
	}
	return []string{t.App + "/" + t.Env, state, running, strings.TrimSpace(ready), t.URL}
}

func artifactRow(a delivery.Artifact, now time.Time) []string {
	return []string{string(a.Digest), string(a.Kind.Or()), fmt.Sprintf("%s#%d", a.App, a.RunNumber), a.Commit.Short(), a.Env, age(now, a.CreatedAt)}
}

func auditRow(a delivery.AuditEntry, now time.Time) []string {
	rule := a.Rule
	if a.Refused {
		rule = "refused"
	}
	return []string{age(now, a.At), a.Address, a.Actor.String(), string(a.Command), a.Subject, rule, a.Detail}
}

func (c *console) versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Versions of this program and of the server", Args: exactly(0), RunE: func(cmd *cobra.Command, _ []string) error {
		both := struct {
			Client string `json:"client"`
			Server string `json:"server,omitempty"`
		}{Client: c.Version}
		if cl, err := c.client(); err == nil {
			if v, err := cl.Version(cmd.Context()); err == nil { // the client's own is worth showing alone
				both.Server = v.Version
			}
		}
		return c.print(both, func(w io.Writer) {
			fmt.Fprintln(w, "shiplock", both.Client)
			if both.Server != "" {
				fmt.Fprintln(w, "server  ", both.Server)
			}
		})
	}}
}
