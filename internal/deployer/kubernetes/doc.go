// Package kubernetes makes wishes for Targets real in one namespace of a cluster.
//
// It keeps nothing of its own: each call compares what the wish asks for next
// (manifest.Next, manifest.Render) with what its watches see, and applies the
// difference server-side. A wish is reached in steps; between them Observe says that
// the cluster is behind, or that pods have to be waited for.
//
// Each object carries the Target's generation, the fence, and a hash of what was applied.
// What differs under an equal hash was changed by somebody else: that is drift. What
// decides about traffic is taken back at once, the rest by policy.
package kubernetes
