package checkup

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Facts are what a server has seen of its installation.
type Facts struct {
	Database Database
	Disk     Disk
	Registry Registry
	// Builds is nil where builds are processes of the server's own machine.
	Builds *Builds
	// InPod says that this machine is a pod.
	InPod bool
	// Clusters are those of the catalog that an Environment is in.
	Clusters []Cluster
	// Local are the Environments whose apps run on the server's own machine, and have any.
	Local []string
	Hooks Hooks
	// Channels of the catalog, by name.
	Channels []Channel
	// Calendars do not have years that Windows need.
	Calendars []delivery.MissingYear
}

// Database is where everything is kept.
type Database struct {
	// Kind is SQLite or PostgreSQL.
	Kind string
	Took time.Duration
	Err  error
}

// Disk is what the data directory is on.
type Disk struct {
	Path        string
	Free, Total int64 // bytes
	Err         error
}

// Registry is what runs push to.
type Registry struct {
	Address string
	// Err is why a small image could not be pushed and read back.
	Err error
}

// Place is a cluster's API server.
type Place struct {
	Host, Version string
	// Skew is how far its clock is ahead of ours, to the second; it is known when Timed.
	Skew  time.Duration
	Timed bool
	Err   error
}

// Space is a namespace, and what the server may do there.
type Space struct {
	Namespace string
	// Missing are rights that the server needs and does not have, such as "create pods".
	Missing []string
	// RightsErr is why the rights are not known.
	RightsErr error
	// Refused is why the cluster would not make what is needed in the namespace.
	Refused error
}

// Builds is where pods of builds are made.
type Builds struct {
	Place
	Space
	Quotas []Quota
}

// Quota is one line of a quota.
type Quota struct {
	Name, Resource, Used, Hard string
	// Part of it is used, from 0 to 1.
	Part float64
}

// Cluster is one of the catalog, with the namespaces of its Environments.
type Cluster struct {
	Name string
	Place
	// Environments by rank.
	Environments []Environment
}

// Environment is one that is in a Cluster.
type Environment struct {
	Name string
	Space
}

// Hooks is how deliveries of forges come in.
type Hooks struct {
	Refused []Refusal
	// Silent are Apps whose repository never sent one.
	Silent  []string
	Failing []Unseen
}

// Refusal is what a forge sent and was not taken.
type Refusal struct {
	Forge string
	Count int64
	Why   string
}

// Unseen is a repository that cannot be looked at.
type Unseen struct{ Repo, Why string }

// Answer is how a server looks from outside.
type Answer struct {
	Server, Client string // versions
	Took           time.Duration
	// Skew is how far the server's clock is ahead of ours.
	Skew time.Duration
}
