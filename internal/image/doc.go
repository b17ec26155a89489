// Package image assembles OCI images and pushes them, without a container
// daemon, and unpacks them again.
//
// A built image is its base plus one layer. Of the base only the manifest and
// the configuration are read; its layers are mounted where the target registry
// has them, and copied from registry to registry where it does not. The same
// directory and base give the same digest on every machine: times, owners,
// order, modes and compression are fixed.
package image
