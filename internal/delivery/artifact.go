package delivery

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Artifact is an immutable result of a Run.
type Artifact struct {
	Digest Digest `json:"digest"`
	App    string `json:"app"`
	// Kind says what it is; empty is an image.
	Kind ArtifactKind `json:"kind,omitempty"`
	// Runtime is how it runs; nil for one that was made before this was kept.
	Runtime *ArtifactRuntime `json:"runtime,omitempty"`
	// Manifests are the App's own, as YAML, by the Environment that they are for;
	// AnyEnvironment has those of all others.
	Manifests map[string]string `json:"manifests,omitempty"`
	// Repository is its place in the registry, without the host.
	Repository string    `json:"repository"`
	Size       int64     `json:"size"`
	Run        RunID     `json:"run"`
	RunNumber  int       `json:"runNumber"`
	Commit     Commit    `json:"commit"`
	Env        string    `json:"env"`
	CreatedAt  time.Time `json:"createdAt"`
}

// ArtifactKind is what a run makes of an app.
type ArtifactKind string

const (
	// ArtifactImage is the app on its Stack's base.
	ArtifactImage ArtifactKind = "image"
	// ArtifactPackage is the app alone: where it runs brings the rest.
	ArtifactPackage ArtifactKind = "package"
)

// Or returns the kind, or image when it is empty.
func (k ArtifactKind) Or() ArtifactKind {
	if k == "" {
		return ArtifactImage
	}
	return k
}

// ArtifactRuntime is what running an artifact asks for, as its Plan said.
type ArtifactRuntime struct {
	Home string `json:"home"`
	Port int    `json:"port,omitempty"`
	Logs string `json:"logs,omitempty"`
	// Base is the base image, as the Plan names it; empty for a package.
	Base string `json:"base,omitempty"`
}

const (
	// AnyEnvironment stands for the Environments that are not named.
	AnyEnvironment = ""
	// MaxManifests bounds the manifests of an Artifact, in bytes: they are part of each
	// Revision, and a Target keeps many.
	MaxManifests = 64 << 10
)

// ManifestsFor returns the manifests for an Environment, "" when there are none.
func (a Artifact) ManifestsFor(env string) string {
	if text, ok := a.Manifests[env]; ok {
		return text
	}
	return a.Manifests[AnyEnvironment]
}

// Commit is a pinned commit.
type Commit struct {
	SHA    string `json:"sha"`
	Branch string `json:"branch,omitempty"`
	// Tag is the tag that a push of it built.
	Tag    string `json:"tag,omitempty"`
	Title  string `json:"title,omitempty"`
	Author string `json:"author,omitempty"`
	// Email is the author's address; empty when it is not known.
	Email string `json:"email,omitempty"`
}

// Short returns the first 8 digits of the SHA.
func (c Commit) Short() string { return c.SHA[:min(8, len(c.SHA))] }

// Revision is what can be deployed: an artifact with its configuration. Its ID is
// a hash of its content, so equal content is the same Revision.
type Revision struct {
	ID         RevisionID `json:"id"`
	App        string     `json:"app"`
	Env        string     `json:"env"`
	Artifact   Digest     `json:"artifact"`
	Repository string     `json:"repository"`
	Config     Config     `json:"config"`
	// The run and commit are what people know a revision by; they take no part in
	// the ID.
	Run       RunID  `json:"run,omitempty"`
	RunNumber int    `json:"runNumber"`
	Commit    Commit `json:"commit,omitzero"`
}

// Autoscaled tells whether the number of instances follows their load.
func (r Revision) Autoscaled() bool {
	return r.Config.Workload != nil && r.Config.Workload.Autoscale.Max > 0
}

// Config is what a Revision runs with.
type Config struct {
	Variables map[string]string `json:"variables,omitempty"`
	Home      string            `json:"home"`
	Port      int               `json:"port,omitempty"`
	Health    Health            `json:"health,omitzero"`
	Replicas  int               `json:"replicas"`
	Logs      string            `json:"logs,omitempty"`
	Listen    int               `json:"listen,omitempty"`
	// Workload is nil when the App asks nothing of Kubernetes.
	Workload *Workload `json:"workload,omitempty"`
	// Manifests are the App's own, as YAML.
	Manifests string `json:"manifests,omitempty"`
}

// NewRevision names an artifact with its configuration.
func NewRevision(a Artifact, env string, c Config) Revision {
	r := Revision{App: a.App, Env: env, Artifact: a.Digest, Repository: a.Repository, Config: c}
	r.ID = RevisionID(HashJSON(r))
	r.Run, r.RunNumber, r.Commit = a.Run, a.RunNumber, a.Commit
	return r
}

// HashJSON returns the digest of v's JSON form, whose map keys are sorted.
func HashJSON(v any) Digest {
	b, err := json.Marshal(v)
	if err != nil {
		panic("delivery: value cannot be hashed: " + err.Error()) // our own plain types only
	}
	sum := sha256.Sum256(b)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}
