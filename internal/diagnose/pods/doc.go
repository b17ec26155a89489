// Package pods reads from what Kubernetes says of a pod what became of it, and why. What
// the components' words mean is read by the package said.
package pods
