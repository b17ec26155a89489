package manifest

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Labels and annotations of an App's objects. Beside them stand the usual ones:
// app and app.kubernetes.io/name are the App's name, app.kubernetes.io/managed-by is
// shiplock.
const (
	LabelTrack    = "shiplock.dev/track"
	LabelEnv      = "shiplock.dev/env"
	LabelTeam     = "shiplock.dev/team"
	LabelRevision = "shiplock.dev/revision" // short, of pods
	ManagedBy     = "shiplock"

	// AnnotationGeneration is the Target's generation that an object was applied for: the
	// fence.
	AnnotationGeneration = "shiplock.dev/generation"
	// AnnotationRevision is the full id, of Deployments and pods.
	AnnotationRevision = "shiplock.dev/revision"
	// AnnotationRestarted is when a restart was asked for, of pods.
	AnnotationRestarted = "shiplock.dev/restarted-at"
	// AnnotationRelease is of a release's own objects.
	AnnotationRelease = "shiplock.dev/release"
)

// Track tells the two Deployments of a Target apart, and says which pods its Service
// points to.
type Track string

const (
	// TrackStable is the Deployment that has the App's own name.
	TrackStable Track = "stable"
	// TrackCanary is the one beside it, NAME-canary, during a release and its bake.
	TrackCanary Track = "canary"
	// TrackBoth has the Service share the traffic among the pods of both.
	TrackBoth Track = ""
)

// CanaryName is the name of an App's Deployment beside the stable one.
func CanaryName(app string) string { return app + delivery.CanarySuffix }

// Place is where an App's objects go, and what is the same for all of them there.
type Place struct {
	Namespace string
	// Registry is the host, with the path above all repositories if there is one, that
	// the nodes pull from.
	Registry string
	// PullSecrets name Secrets of the namespace, beside a Workload's own.
	PullSecrets []string
	// Tools is the reference of the image with shiplock-web, which writes out the log
	// files of apps: the base of sites. It should stay the same as long as it can: another
	// one replaces all pods. Without it such files stay in their pods.
	Tools string
}

// Shape is how a Target's objects are to be now: one step on the way to its wish. It
// has a Deployment for each half that is there, and one Service.
type Shape struct {
	App, Env, Team string
	Generation     int64
	Stable, Canary *Half
	// Prepare names the release whose command is to run, and For the revision that it is
	// for; nothing of that is there yet.
	Prepare delivery.ReleaseID
	For     *delivery.Revision
	// KeepCanary leaves the canary's Deployment as it is: its pods are still needed, or
	// are not to go before the Service points elsewhere.
	KeepCanary bool
	// Serve says where the Service points.
	Serve       Track
	RestartedAt time.Time
}

// Half is one of the Deployments.
type Half struct {
	Revision delivery.Revision
	// Replicas is how many pods. It is always applied: a field that is left out after it
	// was applied once falls back to 1. Where an autoscaler has the say it is what is
	// there, so that nothing is taken from it.
	Replicas int
	// Floor is the least that its autoscaler may come down to, if that is more than its
	// own minimum: a release holds what was there when it began. Only the stable half has
	// an autoscaler, if its Workload says so.
	Floor int
}
