package api

import (
	"encoding/json"

	"github.com/shiplock/shiplock/internal/delivery"
)

// App is one app with its state in every environment that has one.
type App struct {
	delivery.App
	// Manager is the source that the document is applied from.
	Manager string   `json:"manager"`
	Targets []Target `json:"targets"`
}

// Environment, Stack, Cluster and RoleBinding are documents with their source.
type (
	Environment struct {
		delivery.Environment
		Manager string `json:"manager"`
	}
	Stack struct {
		delivery.Stack
		Manager string `json:"manager"`
	}
	// Cluster says too which environments are in it, by rank.
	Cluster struct {
		delivery.Cluster
		Environments []string `json:"environments"`
		Manager      string   `json:"manager"`
		// Version is Kubernetes' own, as the cluster said a moment ago; empty when it did
		// not answer.
		Version string `json:"version,omitempty"`
		// Cause is why it cannot be worked with now.
		Cause *delivery.Cause `json:"cause,omitempty"`
	}
	RoleBinding struct {
		delivery.Binding
		Manager string `json:"manager"`
	}
)

// Status is the whole installation in short, for the status page and for people.
type Status struct {
	// Environments in order of rank.
	Environments []string    `json:"environments"`
	Apps         []AppStatus `json:"apps"`
	// Runs are queued or running, Releases proposed or under way; at most 200 of each.
	Runs     []RunSummary     `json:"runs"`
	Releases []ReleaseSummary `json:"releases"`
	Counts   Counts           `json:"counts"`
	// Silent are the apps whose repository never sent a hook.
	Silent []string `json:"silent"`
	// Reconciler looks for pushes whose hook never came; nil when it is switched off.
	Reconciler *Reconciler `json:"reconciler,omitempty"`
	// Away is why builds cannot start: where they run does not answer.
	Away *delivery.Cause `json:"away,omitempty"`
}

// AppStatus is one row of the status page; Targets by environment.
type AppStatus struct {
	Name    string                  `json:"name"`
	Team    string                  `json:"team,omitempty"`
	Stack   string                  `json:"stack,omitempty"`
	Targets map[string]TargetStatus `json:"targets,omitempty"`
}

// TargetStatus is one cell of the status page.
type TargetStatus struct {
	State     TargetState        `json:"state"`
	RunNumber int                `json:"run,omitempty"`
	Commit    string             `json:"commit,omitempty" doc:"the first 8 digits"`
	URL       string             `json:"url,omitempty"`
	Release   delivery.ReleaseID `json:"release,omitempty"`
	Shares    []Share            `json:"shares,omitempty"`
	Drift     []delivery.Drift   `json:"drift,omitempty"`
}

// Share is a version's part of the traffic in percent.
type Share struct {
	RunNumber int    `json:"run"`
	Commit    string `json:"commit"`
	Asked     int    `json:"asked"`
	Effective int    `json:"effective"`
	Ready     int    `json:"ready"`
	Total     int    `json:"total"`
}

// Counts is how much there is to do.
type Counts struct {
	Apps         int `json:"apps"`
	Queued       int `json:"queued"`
	Running      int `json:"running"`
	Releases     int `json:"releases" doc:"releases under way"`
	Waiting      int `json:"waiting" doc:"releases that have not started"`
	HooksWaiting int `json:"hooksWaiting" doc:"pushes not yet turned into runs"`
}

// TargetStatusOf returns the Target as the status page shows it.
func TargetStatusOf(t Target) TargetStatus {
	s := TargetStatus{State: t.State, URL: t.URL, Release: t.Active, Drift: t.Drift}
	if t.Running != nil {
		s.RunNumber, s.Commit = t.Running.RunNumber, t.Running.Commit.Short()
	}
	for _, v := range t.Versions {
		s.Shares = append(s.Shares, Share{
			RunNumber: v.RunNumber, Commit: v.Commit.Short(), Asked: v.Asked, Effective: v.Effective, Ready: v.Ready, Total: v.Total,
		})
	}
	return s
}

// Document is one catalog document as it is sent: its spec is that of the kind.
type Document struct {
	Kind string          `json:"kind" enum:"App,Stack,Environment,Cluster,Retention,RoleBinding,Window,Calendar,Channel,ApprovalPolicy,Delegation"`
	Name string          `json:"name"`
	Spec json.RawMessage `json:"spec"`
}

// Apply asks for the catalog to be changed to the documents of one manager.
type Apply struct {
	Manager   string     `json:"manager" minLength:"1" maxLength:"200" doc:"the one source that may change these documents"`
	Documents []Document `json:"documents" maxItems:"5000"`
	Prune     bool       `json:"prune,omitempty" doc:"delete what the manager had and no longer names"`
	Dry       bool       `json:"dry,omitempty" doc:"only show what would change"`
}
