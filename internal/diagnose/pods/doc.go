// Package pods reads from what Kubernetes says of a pod what became of it, and why.
//
// Sources: the kubelet's and the scheduler's own words as of Kubernetes 1.34, whose
// reasons are part of the API, and whose messages are not: those decide only between
// Causes that are right either way.
package pods
