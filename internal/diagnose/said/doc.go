// Package said reads the words of a cluster's components: the kubelet's, the
// scheduler's, the controllers' and the API server's.
//
// Sources: those of Kubernetes 1.34 and of the container runtimes below it. Reasons are
// part of the API, messages are not: what is read here of a message decides only
// between Causes that are right either way, and words that nobody knows are shown as
// they are.
package said
