// Package workload reads from what Kubernetes says of one version of an App why it does
// not run as it should: one Cause with its evidence and the next thing to do, and
// whether more waiting is in vain.
//
// It is pure. What the components' words mean is read by the package said; rules.go has,
// for each Cause, when a version is given up.
package workload
