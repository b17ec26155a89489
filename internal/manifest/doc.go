// Package manifest says what is to be in a cluster: pure functions from the product's
// nouns to Kubernetes objects.
package manifest
