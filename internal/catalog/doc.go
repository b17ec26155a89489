// Package catalog holds what people write about their apps: Kubernetes-style
// documents of kind App, Stack, Environment and others. It parses them with a position
// for every fault, compares them, and answers questions about a whole catalog.
// It is pure: bytes in, values out.
package catalog

// APIVersion is the version that every document names.
const APIVersion = "shiplock/v1"
