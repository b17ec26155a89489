// Package kube gives end-to-end tests a real Kubernetes: the one of $KUBECONFIG, or
// else the project's own, which it brings up (docs/testing.md).
//
// Tests that use it are named TestCluster…, and run by `make cluster-e2e`.
package kube
