// Package arch holds the import rules of docs/architecture.md as tests. It has no
// code of its own.
package arch
